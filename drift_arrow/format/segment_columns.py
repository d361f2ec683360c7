"""Payload columns of a segment as Arrow tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.errors import LimitExceededError
from drift_arrow.format.column import decode_column
from drift_arrow.format.layout import BlockType
from drift_arrow.format.plain import from_plain, plain_type
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
        """`rows` in their order; raises LimitExceededError if they do not fit into one array."""
        schema = self._schema(names)
        return pa.Table.from_arrays([self._take(rows, field) for field in schema], schema=schema)

    def read(self, names: list[str]) -> pa.Table:
        """All rows, one chunk per block."""
        schema = self._schema(names)
        return pa.Table.from_arrays([self._read(field) for field in schema], schema=schema)

    def _schema(self, names: list[str]) -> pa.Schema:
        schema = self._file.meta.schema
        return pa.schema([schema.field(name) for name in names], metadata=schema.metadata)

    def _take(self, rows: NDArray[np.int64], field: pa.Field) -> pa.Array:
        if field.name == self._file.meta.vector:
            return _vector_array(self._vectors.gather(rows), field.type)
        index = self._file.index
        owners = index.owners(self._blocks(field), rows)
        order = np.argsort(owners, kind="stable")
        numbers, cuts = np.unique(owners[order], return_index=True)
        pieces = [
            self._decode(number, field).take(pa.array(rows[places] - index.first_rows[number]))
            for number, places in zip(numbers.tolist(), np.split(order, cuts[1:]), strict=False)
        ]
        places = np.empty(len(rows), dtype=np.int64)
        places[order] = np.arange(len(rows))
        try:
            plain = pa.concat_arrays(pieces) if pieces else pa.nulls(0, plain_type(field.type))
            return from_plain(pc.take(plain, pa.array(places)), field.type)
        except (pa.ArrowInvalid, pa.ArrowCapacityError) as err:
            message = f"rows do not fit into one Arrow array: take fewer; column={field.name!r} rows={len(rows)}"
            raise LimitExceededError(message) from err

    def _read(self, field: pa.Field) -> pa.ChunkedArray:
        if field.name == self._file.meta.vector:
            chunks = [_vector_array(matrix, field.type) for _, matrix in self._vectors.blocks()]
        else:
            blocks = self._blocks(field)
            chunks = [from_plain(self._decode(i, field), field.type) for i in range(blocks.start, blocks.stop)]
        return pa.chunked_array(chunks, type=field.type)

    def _blocks(self, field: pa.Field) -> slice:
        return self._file.index.blocks(BlockType.COLUMN, self._file.meta.schema.get_field_index(field.name))

    def _decode(self, number: int, field: pa.Field) -> pa.Array:
        n_values = int(self._file.index.entries["n_values"][number])
        raw = self._file.block(number)
        return decode_column(raw, field.type, n_values, path=self._file.path, offset=self._file.start(number))


def _vector_array(matrix: NDArray[Any], kind: pa.FixedSizeListType) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1), type=kind.value_type), type=kind)
