"""Full-precision vectors of a segment: single rows, ranges, or block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.column_rows import is_sparse
from drift_arrow.format.layout import BlockType, CodecId
from drift_arrow.format.open_blocks import OpenBlocks
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.vector_block import VectorBlock, gather_blocks, open_vectors
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.float_points import gather_float_points
from drift_arrow.kernels.row_table import ABSENT, FORM, RowTable

_NONE: Final[Mapping[int, memoryview]] = MappingProxyType({})


class SegmentVectors:
    """The vectors of one segment.

    Parameters
    ----------
    file : SegmentFile

    Attributes
    ----------
    dtype : dtype
        Of the stored vectors.
    table : RowTable
        The blocks of floats that are open, by which compiled code finds single vectors. Replaced, never changed.
    opened : OpenBlocks
        What they hold is small beside their stored bytes: where each vector of 1024 numbers begins.
    """

    def __init__(self, file: SegmentFile) -> None:
        self._file, self._index = file, file.index
        kind = file.meta.vector_type
        self._dim = int(kind.list_size)
        self.dtype = np.dtype(kind.value_type.to_pandas_dtype())
        self._blocks = file.index.blocks(BlockType.VECTORS)
        # not methods of this object: a cycle would keep the file open until the garbage collector comes
        self.opened: OpenBlocks[VectorBlock] = OpenBlocks(
            file.blocks, partial(_parse, file), partial(_held_bytes, file), file.warm_bytes
        )
        first_rows = np.append(self._index.first_rows[self._blocks], file.meta.n_rows)
        self.table = RowTable.of(first_rows, [None] * (len(first_rows) - 1), ())

    def gather(self, rows: NDArray[np.int64], stored: Mapping[int, memoryview] = _NONE) -> NDArray[Any]:
        """(m, dim) matrix of the stored type, in the order of `rows`."""
        matrix = np.empty((len(rows), self._dim), dtype=self.dtype)
        if is_sparse(len(rows), int(self.table.first_rows[-1])):
            if self._find(rows, matrix):
                return matrix
            owners = np.unique(self._index.owners(self._blocks, rows))
            self.opened.open(owners.tolist(), stored)
            self._learn()
            if self._find(rows, matrix):
                return matrix
        # rising rows share what must be decoded for them
        order = np.argsort(rows, kind="stable")
        rising = rows[order]
        owners = self._index.owners(self._blocks, rising)
        places = rising - self._index.first_rows[owners]
        starts = np.flatnonzero(np.diff(owners, prepend=-1)).tolist()
        blocks = self.opened.open(owners[starts].tolist(), stored)
        gather_blocks(list(blocks.values()), [*starts[1:], len(rows)], places, order, matrix)
        # many rows from everywhere touch every page, which single rows do not need
        self._file.blocks.release(blocks)
        return matrix

    def _find(self, rows: NDArray[np.int64], matrix: NDArray[Any]) -> bool:
        """Fill a matrix by the table; False if it does not know a block that is needed."""
        try:
            return gather_float_points(self.table, rows, matrix)
        except ValueError as err:
            # what was checked when it was opened: the file was cut off or changed since, or cannot be read any longer
            message = f"vectors cannot be read; cause={err}"
            offset = self._file.blocks.start(self._blocks.start)
            raise CorruptionError(message, path=self._file.path, offset=offset) from err

    def _learn(self) -> None:
        """Let the table know the blocks that are open now, and no others."""
        kept = self.opened.kept(range(self._blocks.start, self._blocks.stop))
        if tuple(kept.values()) == self.table.owners:
            return
        lines: list[NDArray[np.int64] | None] = [None] * (len(self.table.first_rows) - 1)
        for number, block in kept.items():
            lines[number - self._blocks.start] = block.line()
        news = np.flatnonzero(self.table.blocks[:, FORM] == ABSENT) + self._blocks.start
        self.table = RowTable.of(self.table.first_rows, lines, kept.values())
        # parsing reads much that single vectors do not need
        self._file.blocks.release(number for number in news.tolist() if number in kept)

    def read(self, start: int, stop: int, stored: Mapping[int, memoryview] = _NONE) -> NDArray[Any]:
        """Rows `start` up to `stop`, (stop - start, dim); a view into the file if one plain block holds them all."""
        if len(self._numbers(start, stop)) == 1:
            return next(self._parts(start, stop, stored))
        matrix = aligned((stop - start) * self._dim, self.dtype).reshape(-1, self._dim)
        # block by block: all of them decoded beside the matrix would take twice the memory
        for number, block in self.opened.scan(self._numbers(start, stop), stored):
            first_row, n_rows = self._rows(number)
            rows = matrix[max(first_row - start, 0) : first_row + n_rows - start]
            if len(rows) == n_rows:
                block.read_into(rows)
            else:
                rows[:] = block.read()[max(start - first_row, 0) : stop - first_row]
        return matrix

    def chunks(self, start: int, stop: int, stored: Mapping[int, memoryview] = _NONE) -> list[NDArray[Any]]:
        """The same, but without a copy of what is plain: one matrix for each block then."""
        codecs = self._index.entries["codec"][list(self._numbers(start, stop))]
        if (codecs == CodecId.PLAIN).all():
            return list(self._parts(start, stop, stored))
        return [self.read(start, stop, stored)]

    def blocks(self) -> Iterator[tuple[int, NDArray[Any]]]:
        """First row and (n, dim) matrix of every block, decoded one by one."""
        for number, block in self.opened.scan(self._index.numbers(BlockType.VECTORS)):
            yield int(self._index.first_rows[number]), block.read()

    def _numbers(self, start: int, stop: int) -> range:
        return self._index.overlapping(self._blocks, start, stop)

    def _rows(self, number: int) -> tuple[int, int]:
        """The first row of a block, and how many it has."""
        return int(self._index.first_rows[number]), int(self._index.entries["n_values"][number])

    def _parts(self, start: int, stop: int, stored: Mapping[int, memoryview]) -> Iterator[NDArray[Any]]:
        for number, block in self.opened.scan(self._numbers(start, stop), stored):
            first_row, _ = self._rows(number)
            yield block.read()[max(start - first_row, 0) : stop - first_row]


def _parse(file: SegmentFile, number: int, stored: memoryview) -> VectorBlock:
    entry, offset = file.index.entries[number], file.blocks.start(number)
    codec, n_rows = int(entry["codec"]), int(entry["n_values"])
    return open_vectors(
        stored, codec, file.meta.vector_type, n_rows, path=file.path, offset=offset, descriptor=file.file.descriptor
    )


def _held_bytes(file: SegmentFile, number: int, block: VectorBlock) -> int:
    # those of a map are in the cache of the system
    stored_bytes = 0 if file.file.is_mapped else int(file.index.entries["stored_len"][number])
    return stored_bytes + block.held_bytes
