"""Payload columns of a segment as Arrow tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.column_block import open_column
from drift_arrow.format.layout import BlockType
from drift_arrow.format.pieces import restore_pieces, take_pieces
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.segment_vectors import SegmentVectors


class SegmentColumns:
    """The columns of one segment, the vector column among them.

    Parameters
    ----------
    file : SegmentFile
    vectors : SegmentVectors
        Of the same file.
    """

    def __init__(self, file: SegmentFile, vectors: SegmentVectors) -> None:
        self._file = file
        self._vectors = vectors

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """`rows` in their order."""
        schema = self._schema(names)
        return pa.Table.from_arrays([self._take(rows, field) for field in schema], schema=schema)

    def read(self, names: list[str]) -> pa.Table:
        """All rows, one chunk per block or more."""
        schema = self._schema(names)
        return pa.Table.from_arrays([self._read(field) for field in schema], schema=schema)

    def _schema(self, names: list[str]) -> pa.Schema:
        schema = self._file.meta.schema
        return pa.schema([schema.field(name) for name in names], metadata=schema.metadata)

    def _take(self, rows: NDArray[np.int64], field: pa.Field) -> pa.Array | pa.ChunkedArray:
        if field.name == self._file.meta.vector:
            return _vector_array(self._vectors.gather(rows), field.type)
        index = self._file.index
        owners = index.owners(self._blocks(field), rows)
        places = rows - index.first_rows[owners]
        return take_pieces(lambda number: self._decode(number, field), owners, places, field.type)

    def _read(self, field: pa.Field) -> pa.ChunkedArray:
        if field.name == self._file.meta.vector:
            chunks = [_vector_array(matrix, field.type) for _, matrix in self._vectors.blocks()]
        else:
            blocks = self._blocks(field)
            plain = (self._decode(number, field) for number in range(blocks.start, blocks.stop))
            chunks = [piece for rows in plain for piece in restore_pieces(rows, field.type)]
        return pa.chunked_array(chunks, type=field.type)

    def _blocks(self, field: pa.Field) -> slice:
        return self._file.index.blocks(BlockType.COLUMN, self._file.meta.schema.get_field_index(field.name))

    def _decode(self, number: int, field: pa.Field) -> pa.Array:
        entry, path, offset = self._file.index.entries[number], self._file.path, self._file.start(number)
        n_values, codec, raw_len = int(entry["n_values"]), int(entry["codec"]), int(entry["raw_len"])
        stored = self._file.stored(number)
        block = open_column(stored, codec, raw_len, field.type, n_values, dictionary=None, path=path, offset=offset)
        return block.read()


def _vector_array(matrix: NDArray[Any], kind: pa.FixedSizeListType) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1), type=kind.value_type), type=kind)
