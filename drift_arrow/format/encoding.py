"""How the values of a block are stored, as `inspect` prints it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """One node of the tree of encodings of a block.

    Parameters
    ----------
    name : str
    children : tuple of Encoding
        Encodings inside of this one.
    n_values, stored_bytes : int
        ``8 * stored_bytes / n_values`` are the bits per value.
    min_width, max_width : int or None
        Bits of packed values.
    n_exceptions : int
    detail : str
    """

    name: str
    children: tuple[Encoding, ...]
    n_values: int
    stored_bytes: int
    min_width: int | None
    max_width: int | None
    n_exceptions: int
    detail: str
