"""Blocks of one kind that were parsed and checked, by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from drift_arrow.format.block_cache import BlockCache
from drift_arrow.format.segment_blocks import SegmentBlocks

_Block = TypeVar("_Block")
_NONE: Final[Mapping[int, memoryview]] = MappingProxyType({})


class OpenBlocks(Generic[_Block]):
    """Parses blocks and keeps them while there is room.

    Parameters
    ----------
    blocks : SegmentBlocks
    parse : callable
        Makes a block of its number and its stored bytes; raises CorruptionError.
    held_bytes : callable
        Memory that a block takes, of its number and the block.
    limit_bytes : int
        Most memory of those that are kept.

    Attributes
    ----------
    n_parsed : int
        Another number whenever other blocks may be kept than before.
    """

    def __init__(
        self,
        blocks: SegmentBlocks,
        parse: Callable[[int, memoryview], _Block],
        held_bytes: Callable[[int, _Block], int],
        limit_bytes: int,
    ) -> None:
        self._blocks, self._parse, self._held_bytes = blocks, parse, held_bytes
        self._kept: BlockCache[_Block] = BlockCache(limit_bytes)
        self._counter = count(1)
        self.n_parsed = 0

    def absent(self, numbers: Iterable[int]) -> list[int]:
        """Those of `numbers` that are not kept."""
        return [number for number in numbers if self._kept.get(number) is None]

    def kept(self, numbers: Iterable[int]) -> dict[int, _Block]:
        """Those of `numbers` that are kept, without using them."""
        found = {number: self._kept.peek(number) for number in numbers}
        return {number: block for number, block in found.items() if block is not None}

    def open(self, numbers: Sequence[int], stored: Mapping[int, memoryview] = _NONE) -> dict[int, _Block]:
        """Blocks by number, in the order given; raises CorruptionError.

        What is neither kept nor `stored` is read in one request.
        """
        kept = {number: self._kept.get(number) for number in numbers}
        absent = [number for number, block in kept.items() if block is None and number not in stored]
        stored = {**stored, **self._blocks.read(absent)} if absent else stored
        return {number: self._put(number, stored[number]) if block is None else block for number, block in kept.items()}

    def scan(self, numbers: Sequence[int], stored: Mapping[int, memoryview] = _NONE) -> Iterator[tuple[int, _Block]]:
        """Number and block of each, parsed one by one and not kept: whoever reads all does not come back soon."""
        stored = {**stored, **self._blocks.read([number for number in numbers if number not in stored])}
        for number in numbers:
            block = self._kept.get(number)
            yield number, self._parse(number, stored[number]) if block is None else block

    def _put(self, number: int, stored: memoryview) -> _Block:
        block = self._parse(number, stored)
        self._kept.put(number, block, self._held_bytes(number, block))
        self.n_parsed = next(self._counter)
        return block
