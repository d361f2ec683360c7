"""The tables of a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tables_bench.mixed import mixed_table


@dataclass(frozen=True, slots=True)
class Input:
    """A table with a vector column.

    Parameters
    ----------
    name : str
    table : pa.Table
        In the order in which its rows came about.
    key, vector : str
        Names of the columns.
    metric : str
    """

    name: str
    table: pa.Table
    key: str
    vector: str
    metric: str = "l2"


def inputs(data: Path, rows: int) -> Iterator[Input]:
    """Those whose data is at hand, and a generated table of `rows` rows."""
    vectors = data / "vectors"
    commits, descriptors = vectors / "gitlog256.parquet", vectors / "sift100k.npz"
    if commits.exists():
        table = pq.read_table(commits).combine_chunks()
        yield Input("gitlog256", table, key="sha", vector="embedding", metric="cosine")
    if descriptors.exists():
        yield Input("sift100k", _descriptors(descriptors), key="id", vector="vector")
    yield Input(f"mixed, {rows:,} rows", mixed_table(rows), key="id", vector="vector")


def _descriptors(path: Path) -> pa.Table:
    with np.load(path, allow_pickle=False) as archive:
        base = archive["base"].astype(np.float32)
        payload = {name: pa.array(archive[name]) for name in ("ts", "image", "x", "y", "size", "angle", "resp")}
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(base.reshape(-1)), base.shape[1])
    return pa.table({"id": pa.array(np.arange(len(base))), **payload, "vector": vectors})
