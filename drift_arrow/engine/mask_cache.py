"""Masks of an immutable segment for the conditions that searches repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drift_arrow.kernels.bitmap import Bits

_MOST: Final = 8
"""So all masks of a segment take at most one byte per row, of which its codes take one per dimension."""


class MaskCache:
    """The most recently used masks of one segment by `Predicate.identity`.

    Notes
    -----
    Lives and dies with the view of the segment. Safe to use by many threads without a lock: each step is one atomic
    operation on a dict, and what one thread drops while another looks for it is only computed again.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, Bits] = {}

    def get(self, identity: bytes | None) -> Bits | None:
        """The mask of a condition that is kept, now the most recently used; or None."""
        bits = None if identity is None else self._kept.pop(identity, None)
        if identity is None or bits is None:
            return None
        # dicts remember the order of insertion
        self._kept[identity] = bits
        return bits

    def put(self, identity: bytes | None, bits: Bits) -> None:
        """Keep the mask of a condition that has an identity."""
        if identity is None:
            return
        self._kept[identity] = bits
        for oldest in list(self._kept)[:-_MOST]:
            self._kept.pop(oldest, None)
