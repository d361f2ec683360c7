"""A collection that DuckDB tests read, and a connection that knows the table functions."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa

import drift_arrow
from tests.surfaces.brute_force import DIM, make_matrix

N_ROWS = 5_000
"""More than two DuckDB vectors."""


def make_table(n_rows=N_ROWS, *, first_key=0):
    """Rows of every common type, some null; the vector of key i is row i of `make_matrix`."""
    keys = np.arange(first_key, first_key + n_rows)
    vectors = pa.array(make_matrix(first_key + n_rows)[first_key:].reshape(-1))
    start = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - with a zone, DuckDB would need pytz to fetch it
    return pa.table(
        {
            "id": keys,
            "title": [f"document number {key}" if key % 7 else None for key in keys],
            "year": pa.array(2000 + keys % 7, pa.int32()),
            "price": pa.array(keys / 4, pa.float64(), mask=keys % 11 == 0),
            "v": pa.FixedSizeListArray.from_arrays(vectors, DIM),
            "added": [start + dt.timedelta(hours=int(key)) for key in keys],
            "tags": [["a"] * int(key % 3) for key in keys],
        }
    )


def make_collection(root, table=None, *, name="docs", flush=True, metric="l2"):
    """Create `<root>/<name>` with the rows of a table and close it; its path."""
    table = make_table() if table is None else table
    with drift_arrow.connect(root) as database:
        collection = database.create_collection(name, schema=table.schema, vector="v", key="id", metric=metric)
        collection.add(table)
        if flush:
            collection.flush()
        return collection.path
