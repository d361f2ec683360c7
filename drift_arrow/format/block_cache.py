"""The most recently used blocks, as many as fit."""

from __future__ import annotations

from typing import Generic, TypeVar

_Block = TypeVar("_Block")


class BlockCache(Generic[_Block]):
    """Blocks by number, of which the least recently used are dropped.

    Parameters
    ----------
    limit_bytes : int
        Most that is kept; a larger block is not kept at all.

    Notes
    -----
    Safe to use by many threads without a lock: each step is one atomic operation on a dict, and what one thread drops
    while another looks for it is only opened again.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept: dict[int, tuple[_Block, int]] = {}

    def get(self, number: int) -> _Block | None:
        """A block that is kept, now the most recently used; or None."""
        # dicts remember the order of insertion
        entry = self._kept.pop(number, None)
        if entry is None:
            return None
        self._kept[number] = entry
        return entry[0]

    def peek(self, number: int) -> _Block | None:
        """A block that is kept, used no more recently than before; or None."""
        entry = self._kept.get(number)
        return None if entry is None else entry[0]

    def put(self, number: int, block: _Block, size_bytes: int) -> None:
        """Keep a block that costs `size_bytes`, and drop others for it."""
        if size_bytes > self._limit_bytes:
            return
        self._kept[number] = (block, size_bytes)
        if not size_bytes:
            return
        entries = list(self._kept.items())
        excess = sum(size for _, (_, size) in entries) - self._limit_bytes
        for oldest, (_, size) in entries:
            if excess <= 0:
                return
            self._kept.pop(oldest, None)
            excess -= size
