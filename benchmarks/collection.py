"""A collection through its public interface: ingest, search during and after, flush, and reopening in another process.

Run ``python benchmarks/collection.py mnist784.npz``. The file holds `base` (n, dim), `query` (m, dim) and perhaps `gt`,
the row numbers of the true l2 neighbours; without it an exact search gives them. Latencies are of single queries on one
thread that return two columns and the distance; recall stands beside them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import drift_arrow as drift

K = 10
NAME = "bench"


def table_of(base: NDArray[Any], start: int, stop: int) -> pa.Table:
    """Rows [start, stop) with their number as key, and a payload column."""
    vectors = np.ascontiguousarray(base[start:stop], dtype=np.float32)
    numbers = np.arange(start, start + len(vectors))
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "title": pa.array([f"row {number}" for number in numbers.tolist()]),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), base.shape[1]),
        }
    )


def single_query_ms(docs: drift.Collection, queries: NDArray[np.float32]) -> NDArray[np.float64]:
    """Wall time of each query on its own."""
    times = []
    for query in queries:
        started = time.perf_counter()
        docs.search(query).limit(K).to_arrow()
        times.append((time.perf_counter() - started) * 1e3)
    return np.asarray(times)


def found_rows(docs: drift.Collection, queries: NDArray[np.float32], *, exact: bool = False) -> NDArray[np.int64]:
    """(m, K) keys of a batch search."""
    search = docs.search(queries).limit(K)
    hits = (search.exact() if exact else search).to_arrow()
    found: NDArray[np.int64] = hits["id"].to_numpy()
    return found.reshape(len(queries), K)


def recall(found: NDArray[np.int64], truth: NDArray[Any]) -> float:
    """Share of the true K nearest that was found."""
    return float((found[:, :, None] == truth[:, None, :K]).any(axis=2).mean())


def report(name: str, value: str) -> None:
    """One aligned line."""
    print(f"{name:<36}{value}", flush=True)


def report_latency(name: str, times: NDArray[np.float64]) -> None:
    """Median and tail."""
    report(name, f"p50 {np.median(times):.3f} ms   p99 {np.percentile(times, 99):.3f} ms   ({len(times)} queries)")


def ingest(docs: drift.Collection, base: NDArray[Any], queries: NDArray[np.float32], batch: int) -> None:
    """Add everything in batches, with one query after every fifth."""
    tables = [table_of(base, start, start + batch) for start in range(0, len(base), batch)]
    adding, between = 0.0, []
    # one batch and one query load or compile the kernels before the clock runs
    docs.add(tables.pop(0))
    single_query_ms(docs, queries[:1])
    for number, table in enumerate(tables):
        started = time.perf_counter()
        docs.add(table)
        adding += time.perf_counter() - started
        if number % 5 == 4:
            between.append(single_query_ms(docs, queries[number % len(queries)][None]))
    report("ingest, durable and searchable", f"{(len(base) - batch) / adding:,.0f} rows/s in batches of {batch:,}")
    report_latency("search between adds", np.concatenate(between))


def measure(
    docs: drift.Collection, base: NDArray[Any], queries: NDArray[np.float32], truth: NDArray[Any] | None
) -> None:
    """Flush, then search alone and in a batch."""
    started = time.perf_counter()
    docs.flush()
    report("flush of the rest", f"{time.perf_counter() - started:.2f} s")
    started = time.perf_counter()
    exact = found_rows(docs, queries, exact=True)
    report("exact batch", f"{len(queries) / (time.perf_counter() - started):,.0f} queries/s")
    truth = exact if truth is None else truth
    report("recall@10 exact / default", f"{recall(exact, truth):.4f} / {recall(found_rows(docs, queries), truth):.4f}")
    started = time.perf_counter()
    found_rows(docs, queries)
    report("default batch", f"{len(queries) / (time.perf_counter() - started):,.0f} queries/s")
    single_query_ms(docs, queries[:20])
    report_latency("default search", single_query_ms(docs, queries[:500]))
    stats = docs.stats()
    sizes = (base.shape[1] * 4, stats.code_bytes // stats.rows, stats.segment_bytes // stats.rows)
    report("bytes/vector: raw, SQ8, segment", ", ".join(map(str, sizes)))
    report("segments, buckets, files", f"{stats.segments}, {stats.buckets}, {stats.files}")


def answer(root: str, queries: NDArray[np.float32]) -> None:
    """In another process: open, and print what is found."""
    started = time.perf_counter()
    docs = drift.connect(root).collection(NAME)
    opened = time.perf_counter() - started
    print(json.dumps({"open_s": opened, "rows": len(docs), "found": found_rows(docs, queries).tolist()}))


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="an .npz file with base, query and perhaps gt")
    parser.add_argument("--batch", type=int, default=1000, help="rows per add")
    parser.add_argument("--metric", default="l2", choices=["l2", "cosine", "dot"])
    parser.add_argument("--reopen", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    data = np.load(arguments.file)
    base, queries = data["base"], data["query"].astype(np.float32)
    if arguments.reopen:
        answer(arguments.reopen, queries)
        return
    truth = data["gt"] if "gt" in data and arguments.metric == "l2" else None
    report("data", f"{arguments.file}: {base.shape[0]:,} x {base.shape[1]}, {len(queries)} queries, {arguments.metric}")
    with tempfile.TemporaryDirectory() as root:
        with drift.connect(root) as db:
            schema = table_of(base, 0, 1).schema
            docs = db.create_collection(NAME, schema=schema, vector="embedding", key="id", metric=arguments.metric)
            ingest(docs, base, queries, arguments.batch)
            measure(docs, base, queries, truth)
            expected = found_rows(docs, queries).tolist()
        command = [sys.executable, __file__, arguments.file, "--reopen", root]
        done = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        same = done["found"] == expected and done["rows"] == len(base)
        report(
            "reopened in another process", f"{done['open_s'] * 1e3:.0f} ms, {'same answers' if same else 'DIFFERENT'}"
        )
        if not same:
            sys.exit(1)


if __name__ == "__main__":
    main()
