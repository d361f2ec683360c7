"""A plain NumPy ranking, and frames to rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

DIM = 8
COLUMN: Any = pl.col
"""`pl.col`, typed so that its namespace is known."""


def distances(matrix, query, metric):
    """(n,) float64 distances of rows to one query."""
    rows, query = np.asarray(matrix, np.float64), np.asarray(query, np.float64)
    if metric == "l2":
        return ((rows - query) ** 2).sum(axis=1)
    if metric == "dot":
        return -rows @ query
    return 1 - rows @ query / (np.linalg.norm(rows, axis=1) * np.linalg.norm(query))


def nearest(matrix, query, k, metric="l2", allowed=None):
    """Row numbers of the k nearest allowed rows, ties by row."""
    ranked = np.argsort(distances(matrix, query, metric), kind="stable")
    if allowed is not None:
        ranked = ranked[np.asarray(allowed)[ranked]]
    return ranked[:k].tolist()


def make_matrix(n_rows=300, seed=1):
    """(n, DIM) float32."""
    return np.random.default_rng(seed).standard_normal((n_rows, DIM)).astype(np.float32)


def make_frame(matrix, dtype=np.float32):
    """Columns id (row number), year, lang, v."""
    ids = np.arange(len(matrix))
    langs = ["en" if number % 3 else "de" for number in ids]
    return pl.DataFrame({"id": ids, "year": 2000 + ids % 7, "lang": langs, "v": pl.Series(matrix.astype(dtype))})


def frame_of(**columns):
    """A DataFrame, typed so that its namespace is known."""
    return pl.DataFrame(columns)


def vectors(rows, dtype=None):
    """A series of two-dimensional vectors, Array(Float32) by default, typed so that its namespace is known."""
    return pl.Series("v", rows, dtype=dtype or pl.Array(pl.Float32, 2))
