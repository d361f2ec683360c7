"""Rows of an Arrow table in any order, for every Arrow type."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.format.pieces import MAX_PIECE_BYTES, no_rows, take_pieces
from drift_arrow.format.plain import to_plain
from drift_arrow.format.row_lines import offsets_dtype


def take_rows(table: pa.Table, rows: NDArray[np.integer[Any]]) -> pa.Table:
    """Select `rows` of `table`, in that order, with the schema unchanged.

    Parameters
    ----------
    table : pyarrow.Table
        Any schema that `plain.check_storable` accepts.
    rows : (m,) integer array
        Row numbers in [0, table.num_rows).

    Returns
    -------
    pyarrow.Table
        m rows; one chunk per column, or more where `take_pieces` needs them.
    """
    columns = [_take(column, rows) for column in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)


def empty_table(schema: pa.Schema) -> pa.Table:
    """No rows of any schema that `plain.check_storable` accepts. That of Arrow fails for run-end encoded views."""
    columns = [pa.chunked_array(no_rows(field.type), type=field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _take(column: pa.ChunkedArray, rows: NDArray[np.integer[Any]]) -> pa.ChunkedArray:
    if (
        column.num_chunks > 1
        and len(column) <= len(rows)
        and _is_flat(column.type)
        and column.nbytes <= MAX_PIECE_BYTES
    ):
        # winners of a search from several segments: asking each chunk for its rows takes longer than the search
        joined = pa.concat_arrays(column.chunks)
        return pa.chunked_array([pc.take(joined, pa.array(rows), boundscheck=False)], type=column.type)
    lengths = np.asarray([len(chunk) for chunk in column.chunks], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    owners = np.searchsorted(starts, rows, side="right") - 1
    places = rows - starts[owners] if len(rows) else np.empty(0, dtype=np.int64)
    return take_pieces(partial(_take_plain, column), owners, places, column.type)


def _is_flat(kind: pa.DataType) -> bool:
    """Whether Arrow concatenates and takes arrays of a type as they are."""
    return bool(pt.is_primitive(kind) or offsets_dtype(kind) is not None)


def _take_plain(column: pa.ChunkedArray, number: int, places: NDArray[np.int64]) -> pa.Array:
    return pc.take(to_plain(column.chunk(number)), pa.array(places), boundscheck=False)
