"""Rows of an Arrow table in any order, for every Arrow type."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from drift_arrow.format.column import gather_chunks
from drift_arrow.format.plain import from_plain


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
        m rows; one chunk per column.
    """
    indices = pa.array(rows)
    columns = [_take(column, indices) for column in table.columns]
    return pa.Table.from_arrays(columns, schema=table.schema)


def _take(column: pa.ChunkedArray, indices: pa.Array) -> pa.Array:
    if not len(indices):
        return pa.nulls(0, column.type)
    return from_plain(pc.take(gather_chunks(column), indices, boundscheck=False), column.type)
