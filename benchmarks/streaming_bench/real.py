"""Real rows in the order of their time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray


def descriptors(file: Path) -> tuple[str, NDArray[np.float32]]:
    """Metric and rows: descriptors of aerial images, which the aircraft took one after the other."""
    with np.load(file, allow_pickle=False) as archive:
        return "l2", _sorted(archive["base"], archive["ts"])


def commits(file: Path) -> tuple[str, NDArray[np.float32]]:
    """Metric and rows: messages of commits from 2005 on, of unit length."""
    table = pq.read_table(file, columns=["ts", "embedding"]).combine_chunks()
    column = table["embedding"].combine_chunks()
    rows = _sorted(column.values.to_numpy().reshape(len(column), -1), table["ts"].to_numpy())
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return "cosine", unit


def _sorted(rows: NDArray[Any], times: NDArray[Any]) -> NDArray[np.float32]:
    return rows[np.argsort(times, kind="stable")].astype(np.float32)
