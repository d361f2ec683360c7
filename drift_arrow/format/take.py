"""Rows of an Arrow table in any order, for every Arrow type."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.format.pieces import no_rows, take_pieces
from drift_arrow.format.plain import to_plain


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
    lengths = np.asarray([len(chunk) for chunk in column.chunks], dtype=np.int64)
    starts = np.cumsum(lengths) - lengths
    owners = np.searchsorted(starts, rows, side="right") - 1
    places = rows - starts[owners] if len(rows) else np.empty(0, dtype=np.int64)
    return take_pieces(partial(_take_plain, column), owners, places, column.type)


def _take_plain(column: pa.ChunkedArray, number: int, places: NDArray[np.int64]) -> pa.Array:
    return pc.take(to_plain(column.chunk(number)), pa.array(places), boundscheck=False)
