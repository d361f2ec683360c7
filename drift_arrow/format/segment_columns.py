"""Payload columns of a segment as Arrow tables, the vector column among them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.column_rows import ColumnRows
from drift_arrow.format.layout import BlockType
from drift_arrow.format.numbers import number_dtype
from drift_arrow.format.open_blocks import OpenBlocks
from drift_arrow.format.payload_parser import PayloadParser
from drift_arrow.format.pieces import MAX_PIECE_BYTES, restore_pieces, take_pieces
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.segment_vectors import SegmentVectors
from drift_arrow.format.warm_column import WarmColumn
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.row_table import RowTable
from drift_arrow.kernels.streaming import STREAM_BYTES

_TAKE_SHARE: Final = 4
_LEAST_JOINED: Final = 2
_NUMBERS_PER_BYTE: Final = 4
"""Numbers for which a parsed block holds a byte or less: the bit of a null, and 25 bytes for each 1024 of them."""

_Numbers = Mapping[str, list[int]]
_Stored = Mapping[int, memoryview]


class SegmentColumns:
    """The columns of one segment.

    Parameters
    ----------
    file : SegmentFile
    vectors : SegmentVectors
        Of the same file.

    Attributes
    ----------
    opened : OpenBlocks
        Payload blocks, counted by their raw bytes.
    """

    def __init__(self, file: SegmentFile, vectors: SegmentVectors) -> None:
        self._file, self._index, self._vectors = file, file.index, vectors
        self._schema, self._vector = file.meta.schema, file.meta.vector
        # not methods of this object: a cycle would keep the file open until the garbage collector comes
        self.opened: OpenBlocks[WarmColumn] = OpenBlocks(
            file.blocks, PayloadParser(file), partial(_held_bytes, file), file.warm_bytes
        )
        self._rows: dict[str, ColumnRows] = {}
        self._n_parsed = 0
        self._last_selected: tuple[list[str], pa.Schema] = ([], pa.schema([]))

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """`rows` in their order; only the blocks that hold them are read, in one request if they must be fetched."""
        found = {name: self._find(rows, name) for name in names}
        absent = [name for name, column in found.items() if column is None]
        if absent:
            found.update(zip(absent, self._take_blocks(rows, absent), strict=True))
            self._learn(absent)
        return pa.Table.from_arrays([found[name] for name in names], schema=self._selected(names))

    def table(self, name: str) -> RowTable | None:
        """Where kernels find single rows of a payload column; None if no block of it was opened for that."""
        column = self._rows.get(name)
        return None if column is None else column.table

    def _find(self, rows: NDArray[np.int64], name: str) -> pa.Array | None:
        """A column of `rows` by what is known of its blocks; None if that is not enough."""
        column = self._rows.get(name)
        try:
            return None if column is None else column.take(rows)
        except ValueError as err:
            # what was checked when it was opened: the file was cut off or changed since, or cannot be read any longer
            message = f"a column cannot be read; column={name!r} cause={err}"
            offset = self._file.blocks.start(self._blocks(name).start)
            raise CorruptionError(message, path=self._file.path, offset=offset) from err

    def _take_blocks(self, rows: NDArray[np.int64], names: list[str]) -> list[pa.Array | pa.ChunkedArray]:
        """The columns `names` of `rows`, block by block."""
        owners = {name: self._index.owners(self._blocks(name), rows) for name in names}
        numbers = {name: np.unique(some).tolist() for name, some in owners.items()}
        stored = self._fetch(numbers)
        return [self._take(rows, name, owners[name], numbers[name], stored) for name in names]

    def _learn(self, names: list[str]) -> None:
        """Let columns know the blocks that are open now, so that the next rows are found without a look at them."""
        for name in names:
            kind = self._schema.field(name).type
            if name not in self._rows and name != self._vector and ColumnRows.supports(kind):
                self._rows[name] = ColumnRows(kind, self._first_rows(self._blocks(name)))
        # blocks of other columns may have had to make room for theirs
        is_changed = self._n_parsed != self.opened.n_parsed
        self._n_parsed = self.opened.n_parsed
        for name, column in list(self._rows.items()):
            if is_changed or name in names:
                blocks = self._blocks(name)
                kept = self.opened.kept(range(blocks.start, blocks.stop))
                news = column.update({number - blocks.start: block for number, block in kept.items()})
                # parsing and decoding read much that single rows do not need
                self._file.blocks.release(blocks.start + place for place in news)

    def _first_rows(self, blocks: slice) -> NDArray[np.int64]:
        return np.append(self._index.first_rows[blocks], self._file.meta.n_rows)

    def read(self, start: int, stop: int, names: list[str]) -> pa.Table:
        """Rows `start` up to `stop`; blocks are read as by `take`.

        Whole blocks of numbers without nulls become one chunk, all others one per block or more.
        """
        numbers = {name: list(self._index.overlapping(self._blocks(name), start, stop)) for name in names}
        stored = self._fetch(numbers)
        columns = []
        for name in names:
            kind = self._schema.field(name).type
            if name == self._vector:
                chunks = [_vector_array(part, kind) for part in self._vectors.chunks(start, stop, stored)]
            elif (joined := self._joined(numbers[name], start, stop, stored, kind)) is not None:
                chunks = [joined]
            else:
                parts = (self._part(number, start, stop, stored) for number in numbers[name])
                chunks = [piece for part in parts for piece in restore_pieces(part, kind)]
            columns.append(pa.chunked_array(chunks, type=kind))
        return pa.Table.from_arrays(columns, schema=self._selected(names))

    def _selected(self, names: list[str]) -> pa.Schema:
        before, schema = self._last_selected
        if names != before:
            schema = pa.schema([self._schema.field(name) for name in names], metadata=self._schema.metadata)
            self._last_selected = list(names), schema
        return schema

    def _blocks(self, name: str) -> slice:
        if name == self._vector:
            return self._index.blocks(BlockType.VECTORS)
        return self._index.blocks(BlockType.COLUMN, self._schema.get_field_index(name))

    def _fetch(self, numbers: _Numbers) -> _Stored:
        """Stored bytes of the blocks of several columns that are not open yet."""
        absent = [
            self._vectors.opened.absent(some) if name == self._vector else self.opened.absent(some)
            for name, some in numbers.items()
        ]
        return self._file.blocks.read(list(chain.from_iterable(absent)))

    def _take(
        self, rows: NDArray[np.int64], name: str, owners: NDArray[np.intp], numbers: list[int], stored: _Stored
    ) -> pa.Array | pa.ChunkedArray:
        kind = self._schema.field(name).type
        if name == self._vector:
            return _vector_array(self._vectors.gather(rows, stored), kind)
        blocks = self.opened.open(numbers, stored)
        places = rows - self._index.first_rows[owners]
        return take_pieces(lambda number, some: blocks[number].take(some), owners, places, kind)

    def _joined(self, numbers: list[int], start: int, stop: int, stored: _Stored, kind: pa.DataType) -> pa.Array | None:
        """The rows of several blocks in one array, which none of them is copied to; None if that is not possible."""
        dtype, n_rows = number_dtype(kind), stop - start
        if dtype is None or len(numbers) < _LEAST_JOINED or n_rows * dtype.itemsize > MAX_PIECE_BYTES:
            return None
        first_rows, sizes = self._index.first_rows[numbers], self._index.entries["n_values"][numbers]
        if int(first_rows[0]) != start or int(sizes.sum()) != n_rows:
            return None
        values, place = aligned(n_rows, dtype), 0
        streams = values.nbytes >= STREAM_BYTES
        for _, block in self.opened.scan(numbers, stored):
            if not block.read_into(values[place : place + block.n_values], streams=streams):
                return None
            place += block.n_values
        return pa.Array.from_buffers(kind, n_rows, [None, pa.py_buffer(values)])

    def _part(self, number: int, start: int, stop: int, stored: _Stored) -> pa.Array:
        """Rows of a block that are in the range; all of it is decoded only if much of it is wanted."""
        first_row, n_values = int(self._index.first_rows[number]), int(self._index.entries["n_values"][number])
        low, high = max(start - first_row, 0), min(stop - first_row, n_values)
        if (high - low) * _TAKE_SHARE <= n_values:
            return self.opened.open([number], stored)[number].take(np.arange(low, high))
        ((_, block),) = self.opened.scan([number], stored)
        return block.read().slice(low, high - low)


def _held_bytes(file: SegmentFile, number: int, block: WarmColumn) -> int:
    entry = file.index.entries[number]
    # what a map holds is in the cache of the system; where its vectors begin is not
    is_small = file.file.is_mapped and not block.may_grow
    return int(entry["n_values"]) // _NUMBERS_PER_BYTE if is_small else int(entry["raw_len"])


def _vector_array(matrix: NDArray[Any], kind: pa.FixedSizeListType) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1), type=kind.value_type), type=kind)
