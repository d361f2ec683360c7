"""Columns from seeded generators: those that every run has, and stand-ins where the real data is absent."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from codec_bench.column import Column, Group

HOT_ROWS: Final = 65_536
LARGE_BYTES: Final = 17 * 131_072 * 8
"""17.8 MB: a row-group of float64 seventeen times, which favours codecs that look back or make one dictionary."""


def tiled(values: NDArray[Any], size_bytes: int) -> NDArray[Any]:
    """Values repeated up to a size."""
    n_values = size_bytes // values.itemsize
    return np.ascontiguousarray(np.resize(values, n_values))


def integers() -> list[Column]:
    """Sorted ids, timestamps in microseconds, and random integers of 13 bits, hot and large."""
    columns = []
    for group, rows in ((Group.INTEGER, HOT_ROWS), (Group.LARGE_INTEGER, LARGE_BYTES // 8)):
        rng = np.random.default_rng(3)
        columns += [
            Column(group, "sorted ids", np.cumsum(rng.integers(1, 16, rows))),
            Column(group, "timestamps", 1_700_000_000_000_000 + np.cumsum(rng.exponential(1e5, rows).astype(np.int64))),
            Column(group, "13 bits", rng.integers(0, 1 << 13, rows)),
        ]
    return columns


def unit_vectors(rows: int, dim: int) -> NDArray[np.float32]:
    """Directions with clusters, (rows, dim), of length 1 in float32."""
    rng = np.random.default_rng(4)
    centres = rng.normal(size=(32, dim))
    return normalised(centres[rng.integers(0, 32, rows)] + rng.normal(size=(rows, dim)))


def normalised(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Rows of length 1 in float32."""
    rows: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return rows


def row_groups() -> dict[str, NDArray[np.float64]]:
    """131,072 decimal fractions of several kinds."""
    rng, rows = np.random.default_rng(5), 131_072
    return {
        "amounts": np.round(rng.lognormal(3, 1.5, rows), 2),
        "temperatures": np.round(15 + 10 * np.sin(np.arange(rows) / 5_000) + rng.normal(0, 1, rows), 1),
        "prices": rng.choice(np.round(rng.lognormal(2, 1, 500), 2), rows),
        "mostly zero": np.where(rng.random(rows) < 0.003, np.round(rng.lognormal(8, 1, rows), 2), 0.0),
        "longitudes": np.round(rng.normal(-73.95, 0.04, rows), 13),
    }


def table_columns() -> dict[str, NDArray[Any]]:
    """Columns of a fact table."""
    rng = np.random.default_rng(6)
    return {
        "constant": np.full(HOT_ROWS, 7),
        "categories": rng.zipf(1.5, HOT_ROWS).clip(0, 300),
        "dates": np.sort(rng.integers(20_150_101, 20_150_132, HOT_ROWS)),
        "runs": np.repeat(rng.integers(0, 1 << 40, HOT_ROWS // 64), 64),
        "prices": np.round(rng.gamma(2, 20, HOT_ROWS), 2),
        "reals": rng.normal(size=HOT_ROWS),
    }


def kv_cache() -> dict[str, NDArray[np.float32]]:
    """Normal numbers of bfloat16, widened to float32."""
    values = np.random.default_rng(7).normal(size=262_144).astype(np.float32)
    return {"bfloat16": (values.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)}
