"""Searches of rows that are not flushed yet."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import drift_arrow as drift
from drift_arrow.options import Options
from harness.report import Bar, aligned
from search_bench.contender import K
from search_bench.data_set import KEY, VECTOR, DataSet
from search_bench.truth import distances_to, nearest_distances, recalls

ROWS: Final = 20_000
_BATCH_ROWS: Final = 1_000
_WARM_QUERIES: Final = 50
_EXACT_QUERIES: Final = 100
_ENOUGH_BYTES: Final = 1 << 30
_MOST_MS: Final = 1.0


def measure(folder: str, n_rows: int, seconds: float) -> dict[str, float]:
    """Ingest and latencies of unflushed rows, their recall, and that of an exact search over them and a segment."""
    data = DataSet.open(Path(folder))
    n_rows = min(n_rows, len(data.vectors) // 2)
    table = data.table(0, 2 * n_rows)
    options = Options(memtable_bytes=_ENOUGH_BYTES)
    with tempfile.TemporaryDirectory() as root, drift.connect(root) as db:
        docs, warm = (
            db.create_collection(name, schema=table.schema, vector=VECTOR, key=KEY, metric=data.metric, options=options)
            for name in ("bench", "warm")
        )
        # the kernels are loaded before anything is timed
        _add(warm, table.slice(0, _BATCH_ROWS))
        _single(warm, data, 0.0)
        started = time.perf_counter()
        _add(docs, table.slice(0, n_rows))
        adding = time.perf_counter() - started
        times = _single(docs, data, seconds)
        found = {
            "rows": float(n_rows),
            "rows_per_second": n_rows / adding,
            "p50_ms": float(np.percentile(times, 50)) * 1e3,
            "p99_ms": float(np.percentile(times, 99)) * 1e3,
            "recall": _recall(docs, data, n_rows, is_exact=False),
        }
        docs.flush()
        _add(docs, table.slice(n_rows))
        found["exact_recall"] = _recall(docs, data, 2 * n_rows, is_exact=True)
    return found


def _add(docs: Any, table: pa.Table) -> None:
    for start in range(0, len(table), _BATCH_ROWS):
        docs.add(table.slice(start, _BATCH_ROWS))


def _single(docs: Any, data: DataSet, seconds: float) -> NDArray[np.float64]:
    """Times of single queries that return the payload."""
    queries, payload = data.queries, data.payload_names
    times: list[float] = []
    while len(times) < _WARM_QUERIES or sum(times) < seconds:
        query = queries[len(times) % len(queries)]
        started = time.perf_counter()
        docs.search(query).limit(K).select(payload).to_arrow()
        times.append(time.perf_counter() - started)
    return np.asarray(times[_WARM_QUERIES // 2 :])


def _recall(docs: Any, data: DataSet, n_rows: int, *, is_exact: bool) -> float:
    rows, queries = data.vectors[:n_rows], data.queries[:_EXACT_QUERIES]
    search = docs.search(queries).limit(K).select([KEY])
    keys = (search.exact() if is_exact else search).to_arrow()[KEY].to_numpy().reshape(len(queries), K)
    true = nearest_distances(rows, queries, K)
    return float(recalls(distances_to(rows, queries, keys), true, K).mean())


def show(found: dict[str, dict[str, float]]) -> None:
    """One line per set."""
    head = ("unflushed", "rows", "added rows/s", "p50 ms", "p99 ms", "recall", "exact with a segment")
    lines = [
        (
            name,
            f"{one['rows']:,.0f}",
            f"{one['rows_per_second']:,.0f}",
            f"{one['p50_ms']:.3f}",
            f"{one['p99_ms']:.3f}",
            f"{one['recall']:.4f}",
            f"{one['exact_recall']:.4f}",
        )
        for name, one in found.items()
    ]
    print(f"\n== rows that are not flushed, one query at a time, one thread\n{aligned(head, lines)}", flush=True)


def bars(found: dict[str, dict[str, float]]) -> Sequence[Bar]:
    """Median time; and that an exact search is exact."""
    result = []
    for name, one in found.items():
        title = f"{name}: {one['rows']:,.0f} unflushed rows"
        result += [
            Bar(name=f"{title}, p50 ms", value=one["p50_ms"], limit=_MOST_MS, at_most=True),
            Bar(name=f"{title} and as many flushed, recall of exact()", value=one["exact_recall"], limit=1.0),
        ]
    return result
