"""The block index of a segment: what every block holds and where it lies, as one array of 32-byte entries."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import BlockHeader
from drift_arrow.format.layout import HEADER_BYTES, NO_COLUMN, PAGE_BYTES, BlockType

INDEX_DTYPE: Final = np.dtype(
    [
        ("type", "u1"),
        ("codec", "u1"),
        ("column", "<u2"),
        ("n_values", "<u4"),
        ("first_row", "<u8"),
        ("offset", "<u8"),
        ("raw_len", "<u4"),
        ("stored_len", "<u4"),
    ]
)
"""One entry; entries are sorted by type, column and first_row."""

EXTENT_TYPES: Final = (BlockType.CODES, BlockType.VECTORS, BlockType.COLUMN)
"""Blocks that lie with others of the same rows; those of other types are tables of the whole segment."""


class BlockIndex:
    """Where the blocks of one segment are.

    Parameters
    ----------
    entries : (n,) INDEX_DTYPE
        As they stand in the footer.
    """

    def __init__(self, entries: NDArray[np.void]) -> None:
        self.entries = entries
        # numbers past 2**63 become negative here, and are refused with all others that are out of line
        self.offsets = entries["offset"].astype(np.int64)
        self.first_rows = entries["first_row"].astype(np.int64)
        self._keys = _sort_keys(entries)
        self._known: dict[int, slice] = {}

    def __len__(self) -> int:
        return len(self.entries)

    def blocks(self, block_type: BlockType, column: int = NO_COLUMN) -> slice:
        """Numbers of the blocks of one kind, in the order of their rows."""
        key = (int(block_type) << 16) | column
        found = self._known.get(key)
        if found is None:
            # asked for again and again: an opened file looks for each of its tables ten times
            first, stop = np.searchsorted(self._keys, [key, key + 1])
            found = self._known[key] = slice(int(first), int(stop))
        return found

    def numbers(self, block_type: BlockType, column: int = NO_COLUMN) -> range:
        """As `blocks`, one by one."""
        blocks = self.blocks(block_type, column)
        return range(blocks.start, blocks.stop)

    def describes(self, number: int, header: BlockHeader) -> bool:
        """Whether the header in the file says what entry `number` says."""
        found = (header.type, header.codec, header.column, header.n_values, header.first_row)
        sizes = (int(self.offsets[number]), header.raw_len, header.stored_len)
        return bool(self.entries[number].item() == (*found, *sizes))

    @property
    def tables_start(self) -> int:
        """Offset of the first table; all blocks from there on are tables."""
        is_table = ~np.isin(self.entries["type"], EXTENT_TYPES)
        return int(self.offsets[is_table].min())

    def check_layout(self, end: int, *, path: str, offset: int) -> None:
        """Raise CorruptionError unless the blocks fill the file, page by page, from the header page up to `end`.

        Extents come first, then the tables; each in the order of the index.
        """
        order = np.argsort(self._extents(self.first_rows), kind="stable")
        used = self.entries["stored_len"].astype(np.int64) + HEADER_BYTES
        ends = (self.offsets + used + -used % PAGE_BYTES)[order]
        starts = np.concatenate([np.array([PAGE_BYTES]), ends])
        is_sorted = (np.diff(self._keys) >= 0).all()
        if not is_sorted or (self.offsets[order] != starts[:-1]).any() or starts[-1] != end:
            raise CorruptionError("block index contradicts the file", path=path, offset=offset)

    def check_extents(self, *, path: str, offset: int) -> None:
        """Raise CorruptionError if a block holds rows of two extents; `covers` must have held for every type."""
        last_rows = self.first_rows + self.entries["n_values"].astype(np.int64) - 1
        if (self._extents(self.first_rows) != self._extents(last_rows)).any():
            raise CorruptionError("a block crosses extents", path=path, offset=offset)

    def _extents(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each block, the extent that has its row of `rows`; past all extents for a table."""
        first_rows = self.first_rows[self.blocks(BlockType.CODES)]
        extents = np.searchsorted(first_rows, rows, side="right").astype(np.int64)
        return np.where(np.isin(self.entries["type"], EXTENT_TYPES), extents, len(first_rows) + 1)

    def covers(self, block_type: BlockType, n_values: int, row_bytes: int | None, column: int = NO_COLUMN) -> bool:
        """Whether blocks of one kind hold values 0 up to `n_values` without a gap, `row_bytes` each (None: any)."""
        blocks = self.blocks(block_type, column)
        counts = self.entries["n_values"][blocks].astype(np.int64)
        stops = np.cumsum(counts)
        return bool(
            len(counts)
            and stops[-1] == n_values
            and (counts > 0).all()
            and (self.first_rows[blocks] == stops - counts).all()
            and (row_bytes is None or (self.entries["raw_len"][blocks] == counts * row_bytes).all())
        )

    def owners(self, blocks: slice, rows: NDArray[np.int64]) -> NDArray[np.intp]:
        """Number of the block among `blocks` that holds each of `rows`."""
        owners: NDArray[np.intp] = np.searchsorted(self.first_rows[blocks], rows, side="right") + (blocks.start - 1)
        return owners

    def overlapping(self, blocks: slice, start: int, stop: int) -> range:
        """Numbers of the blocks among `blocks` that hold rows `start` up to `stop`, at least one."""
        if start >= stop:
            return range(0)
        first, last = self.owners(blocks, np.array([start, stop - 1])).tolist()
        return range(first, last + 1)

    def count(self, block_type: BlockType) -> int:
        """Values in the blocks of one kind that belongs to no column."""
        return int(self.entries["n_values"][self.blocks(block_type)].sum(dtype=np.int64))


def index_entry(header: BlockHeader, offset: int) -> tuple[int, ...]:
    """The entry of a block that starts at `offset`, for an array of INDEX_DTYPE."""
    identity = (header.type, header.codec, header.column, header.n_values, header.first_row)
    return (*identity, offset, header.raw_len, header.stored_len)


def _sort_keys(entries: NDArray[np.void]) -> NDArray[np.int64]:
    keys: NDArray[np.int64] = (entries["type"].astype(np.int64) << 16) | entries["column"]
    return keys
