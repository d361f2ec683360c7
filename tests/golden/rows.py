"""Rows of the golden collections: every Arrow type, and numbers for every encoding."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from drift_arrow.format.take import take_rows
from tests.format.samples import arrays

DIM = 16
N_ROWS = 2_500
N_FLUSHED = 2_300
DELETED = [3, 1_024, 2_299, 2_400]
VECTOR = "embedding"
KEY = "id"


def golden_table() -> pa.Table:
    """2,500 rows; the vector comes second, and columns carry metadata."""
    rng = np.random.default_rng(20_261_122)
    numbers = np.arange(N_ROWS)
    centres = rng.normal(size=(12, DIM)) * 3
    vectors = (centres[rng.integers(12, size=N_ROWS)] + rng.normal(size=(N_ROWS, DIM))).astype(np.float32)
    columns = {
        KEY: pa.array(numbers, pa.int64()),
        VECTOR: pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM),
        "decimal fractions": pa.array(np.round(rng.normal(50, 20, N_ROWS), 2)),
        "real numbers": pa.array(rng.normal(size=N_ROWS)),
        "few real numbers": pa.array(rng.normal(size=9)[rng.integers(9, size=N_ROWS)]),
        "rising": pa.array(np.cumsum(rng.integers(0, 9, N_ROWS))),
        "outliers": pa.array(np.where(rng.random(N_ROWS) < 0.01, 10**15, rng.integers(0, 100, N_ROWS))),
        "runs": pa.array(np.repeat(rng.integers(0, 10**9, N_ROWS // 50), 50)),
        "constant": pa.array(np.full(N_ROWS, 7, np.int16)),
        "category": pa.array([("red", "green", "blue", None)[i % 4] for i in rng.integers(4, size=N_ROWS)]),
        "text": pa.array([f"row {i} says {rng.integers(10**6)}" for i in range(N_ROWS)], pa.large_string()),
    }
    samples = pa.table({f"sample {name}": values for name, values in arrays().items()})
    columns |= dict(zip(samples.column_names, take_rows(samples, numbers % 6).columns, strict=True))
    table = pa.table(columns)
    fields = [field.with_metadata({"about": field.name}) for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields, metadata={"golden": "version 1"}))
