"""Blocks of one kind that were parsed and checked, by number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, Generic, TypeVar

from drift_arrow.format.block_cache import BlockCache
from drift_arrow.format.layout import BLOCK_CACHE_BYTES
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
    """

    def __init__(
        self,
        blocks: SegmentBlocks,
        parse: Callable[[int, memoryview], _Block],
        held_bytes: Callable[[int, _Block], int],
    ) -> None:
        self._blocks, self._parse, self._held_bytes = blocks, parse, held_bytes
        self._kept: BlockCache[_Block] = BlockCache(BLOCK_CACHE_BYTES)

    def absent(self, numbers: Iterable[int]) -> list[int]:
        """Those of `numbers` that are not kept."""
        return [number for number in numbers if self._kept.get(number) is None]

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
        return block
