"""Recall that a search asks for, recall that it gets, and rows that it scans for it.

Run ``python benchmarks/probing.py sift100k.npz`` or ``... vectors.parquet --truth truth.npz --metric cosine``. An .npz
file holds `base` (n, dim) and `query` (m, dim); a Parquet file a column `embedding`, and its truth file the row numbers
`base_rows` and `query_rows`. The collection is calibrated with its own rows, so the queries are new to it. A row counts
as found if it is no farther than the true k-th one. `fixed rows` are those that the same number of buckets for every
query, the best that could be chosen afterwards, scans for the recall measured.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

import drift_arrow as drift

TARGETS = (0.8, 0.9, 0.95, 0.99)
BATCH_ROWS = 5_000
TIMED_QUERIES = 500
TOLERANCE = 1e-6
"""Relative: exact distances of equal rows differ by the rounding of float32."""


def load(path: str, truth: str | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows and queries."""
    if truth is None:
        data = np.load(path)
        return data["base"].astype(np.float32), data["query"].astype(np.float32)
    matrix = pl.read_parquet(path, columns=["embedding"])["embedding"].to_numpy().astype(np.float32)
    rows = np.load(truth)
    return matrix[rows["base_rows"]], matrix[rows["query_rows"]]


def table_of(base: NDArray[np.float32], start: int) -> pa.Table:
    """A batch of rows with their numbers as keys."""
    part = np.ascontiguousarray(base[start : start + BATCH_ROWS])
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), base.shape[1])
    return pa.table({"id": pa.array(np.arange(start, start + len(part))), "v": vectors})


def found_distances(search: Any, k: int) -> NDArray[np.float32]:
    """(m, k) distances of a batch search."""
    distances: NDArray[np.float32] = search.limit(k).select([]).to_arrow()["_distance"].to_numpy()
    return distances.reshape(-1, k)


def measure(search: Any, k: int, farthest: NDArray[np.float32]) -> tuple[float, float, float]:
    """Recall, rows scanned and buckets probed per query."""
    recall = float((found_distances(search, k) <= farthest[:, np.newaxis]).mean())
    frame = search.limit(k).explain().filter(pl.col("how") != "memtable")
    n_queries = len(farthest)
    return recall, frame["scanned_rows"].sum() / n_queries, (frame["probed_buckets"].sum() or 0) / n_queries


def fixed_curve(search: Any, k: int, farthest: NDArray[np.float32]) -> NDArray[np.float64]:
    """(m, 2) recalls and rows scanned of ascending numbers of buckets."""
    points: list[tuple[float, float]] = []
    n_probe = 1
    while not points or points[-1][0] < 0.9995:
        recall, rows, _ = measure(search.nprobe(n_probe), k, farthest)
        points.append((recall, rows))
        if len(points) > 1 and points[-1][1] == points[-2][1]:
            break
        n_probe = max(n_probe + 1, round(n_probe * 1.1))
    return np.asarray(points)


def median_ms(docs: drift.Collection, queries: NDArray[np.float32], target: float, k: int) -> float:
    """Wall time of single queries."""
    times = []
    for query in queries[:TIMED_QUERIES]:
        started = time.perf_counter()
        docs.search(query).target_recall(target).limit(k).to_arrow()
        times.append(time.perf_counter() - started)
    return float(np.median(times)) * 1e3


def report(docs: drift.Collection, queries: NDArray[np.float32], k: int) -> None:
    """One line per target."""
    search = docs.search(queries)
    farthest = found_distances(search.exact(), k)[:, -1]
    farthest = farthest + np.float32(TOLERANCE) * (np.abs(farthest) if docs.metric == "l2" else 1)
    fixed = fixed_curve(search, k, farthest)
    print(f"{'k':>4} {'target':>7} {'recall':>7} {'buckets':>8} {'rows':>8} {'fixed rows':>11} {'p50 ms':>7}")
    for target in TARGETS:
        recall, rows, buckets = measure(search.target_recall(target), k, farthest)
        at_recall = np.interp(recall, fixed[:, 0], fixed[:, 1])
        milliseconds = median_ms(docs, queries, target, k)
        print(
            f"{k:>4} {target:>7} {recall:>7.4f} {buckets:>8.1f} {rows:>8,.0f} {at_recall:>11,.0f} {milliseconds:>7.3f}"
        )


def main() -> None:
    """Run the benchmark and print its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="an .npz file with base and query, or a Parquet file")
    parser.add_argument("--truth", help="an .npz file with base_rows and query_rows, for a Parquet file")
    parser.add_argument("--metric", default="l2", choices=["l2", "cosine", "dot"])
    parser.add_argument("--k", type=int, nargs="+", default=[10], help="rows per query")
    arguments = parser.parse_args()
    base, queries = load(arguments.file, arguments.truth)
    print(f"{arguments.file}: {base.shape[0]:,} x {base.shape[1]}, {len(queries)} queries, {arguments.metric}")
    with tempfile.TemporaryDirectory() as root, drift.connect(root) as db:
        schema = table_of(base, 0).schema
        docs = db.create_collection("bench", schema=schema, vector="v", key="id", metric=arguments.metric)
        for start in range(0, len(base), BATCH_ROWS):
            docs.add(table_of(base, start))
        docs.flush()
        stats = docs.stats()
        print(f"{stats.segments} segments, {stats.buckets} buckets")
        for k in arguments.k:
            report(docs, queries, k)


if __name__ == "__main__":
    main()
