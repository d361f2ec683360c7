"""A memtable's search in its three ways, and four readers of it with and without a writer beside them.

Run ``python benchmarks/memtable.py sift100k.npz`` or ``... vectors.parquet --truth truth.npz --metric cosine``, files
as for `probing.py`. The three ways alternate query by query, the phases with and without a writer in turn. A row
counts as found if it is no farther than the true k-th one. Latencies are of the public call that returns keys.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import drift_arrow as drift
from probing import TOLERANCE, load, table_of

K = 10
READERS = 4
NEVER = 1 << 40
FILL_ROWS = 1000
GRAPH_POLL_S = 0.05


def filled(db: drift.Database, name: str, base: NDArray[np.float32], metric: str, graph_rows: int) -> drift.Collection:
    """A collection whose rows are all in its memtable."""
    options = drift.Options(memtable_bytes=4 * base.nbytes, graph_rows=graph_rows)
    arguments: dict[str, Any] = {"vector": "v", "key": "id", "metric": metric, "options": options}
    docs = db.create_collection(name, schema=table_of(base, 0).schema, **arguments)
    for start in range(0, len(base), FILL_ROWS):
        docs.add(table_of(base[: start + FILL_ROWS], start))
    return docs


def wait_for_graph(docs: drift.Collection) -> None:
    """Return when the graph holds every row."""
    view = docs.pin().memtables[-1]
    while view.memtable.graph is None or view.memtable.graph.n_rows < view.n_rows:
        time.sleep(GRAPH_POLL_S)


def report_ways(
    ways: dict[str, Callable[[NDArray[np.float32]], Any]], queries: NDArray[np.float32], tolerance: float
) -> None:
    """Latency and recall of each way."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    found = dict.fromkeys(ways, 0)
    for query in queries:
        true = ways["exact"](query).to_arrow()["_distance"].to_numpy()[-1]
        for name, way in ways.items():
            search, wall, cpu = way(query), time.perf_counter(), time.thread_time()
            hits = search.to_arrow()
            times[name].append((time.perf_counter() - wall, time.thread_time() - cpu))
            found[name] += int((hits["_distance"].to_numpy() <= true + tolerance * max(abs(true), 1)).sum())
    for name, taken in times.items():
        wall_ms, cpu_ms = np.asarray(taken).T * 1e3
        print(
            f"{name:<8} wall p50 {np.median(wall_ms):6.3f} p99 {np.percentile(wall_ms, 99):7.3f} ms   "
            f"processor p50 {np.median(cpu_ms):6.3f} ms   recall@{K} {found[name] / K / len(queries):.4f}",
            flush=True,
        )


def writes(docs: drift.Collection, base: NDArray[np.float32], batch: int) -> Iterator[int]:
    """Batches under new keys, each third one replaced by newer vectors at once."""
    for number in itertools.count(1):
        table = table_of(base[: number % (len(base) // batch) * batch + batch], number % (len(base) // batch) * batch)
        keys = table["id"].to_numpy() + (number // (len(base) // batch) + 1) * len(base)
        table = table.set_column(0, "id", [keys])
        docs.upsert(table)
        if number % 3 == 0:
            docs.upsert(table)
        yield len(table)


def read_for(
    docs: drift.Collection, queries: NDArray[np.float32], seconds: float, write: Iterator[int] | None
) -> tuple[NDArray[np.float64], int]:
    """Latencies in ms of all readers, and rows written meanwhile."""
    stop, written, times = threading.Event(), 0, [list[float]() for _ in range(READERS)]

    def read(number: int) -> None:
        for query in itertools.cycle(np.roll(queries, number * 37, axis=0)):
            started = time.perf_counter()
            docs.search(query).limit(K).select(["id"]).to_arrow()
            times[number].append((time.perf_counter() - started) * 1e3)
            if stop.is_set():
                return

    readers = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for reader in readers:
        reader.start()
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        if write is None:
            time.sleep(left)
        else:
            written += next(write)
    stop.set()
    for reader in readers:
        reader.join()
    return np.concatenate(times), written


def report_readers(
    docs: drift.Collection, base: NDArray[np.float32], queries: NDArray[np.float32], batch: int, seconds: float
) -> None:
    """Latencies of the readers alone and beside a writer, phase by phase."""
    write = writes(docs, base, batch)
    for _ in range(3):
        tails = []
        for name, writer in (("alone", None), ("writer", write)):
            times, written = read_for(docs, queries, seconds, writer)
            tails.append(np.percentile(times, 99))
            print(
                f"{READERS} readers {name:<7} p50 {np.median(times):7.2f} p99 {tails[-1]:7.2f} ms   "
                f"{len(times) / seconds:6,.0f} queries/s   {written / seconds:7,.0f} rows/s written",
                flush=True,
            )
        print(f"p99 beside a writer / alone: {tails[1] / tails[0]:.2f}")


def main() -> None:
    """Run the benchmark and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="an .npz file with base and query, or a Parquet file")
    parser.add_argument("--truth", help="an .npz file with base_rows and query_rows, for a Parquet file")
    parser.add_argument("--metric", default="l2", choices=["l2", "cosine"])
    parser.add_argument("--rows", type=int, default=20_000, help="of the memtable")
    parser.add_argument("--batch", type=int, default=100, help="rows per write beside the readers")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each phase with readers")
    arguments = parser.parse_args()
    base, queries = load(arguments.file, arguments.truth)
    # in any order, as the rows of MNIST come by class
    base = base[np.random.default_rng(0).permutation(len(base))[: arguments.rows]]
    print(f"{arguments.file}: {base.shape[0]:,} x {base.shape[1]}, {len(queries)} queries, {arguments.metric}")
    with tempfile.TemporaryDirectory() as root, drift.connect(root) as db:
        codes = filled(db, "codes", base, arguments.metric, NEVER)
        graph = filled(db, "graph", base, arguments.metric, 1)
        wait_for_graph(graph)
        ways = {
            "exact": lambda query: codes.search(query).limit(K).select(["id"]).exact(),
            "codes": lambda query: codes.search(query).limit(K).select(["id"]),
            "graph": lambda query: graph.search(query).limit(K).select(["id"]),
        }
        report_ways(ways, queries, TOLERANCE)
        if arguments.seconds:
            report_readers(codes, base, queries, arguments.batch, arguments.seconds)


if __name__ == "__main__":
    main()
