"""What durability costs: adds against the disk's own fdatasync, bulk writes, replay, opening, and searches over S3.

Run ``python benchmarks/durability.py``. The raw writes of the same bytes and the adds alternate, in one directory,
which must be on the disk that is meant: a file system in memory syncs for nothing. Figures are medians.

Parts: `add` one row at a time, `threads` that share one sync, `bulk` adds, `replay` of a log at opening, `open` of a
large collection, and `s3`: searches of a collection that no cache holds, on a server of moto with latency added to
each request.

Examples
--------
python benchmarks/durability.py --quick                     a minute, small sizes
python benchmarks/durability.py --parts add threads bulk    what a writer waits for
python benchmarks/durability.py --directory /mnt/disk       on another disk
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest.mock import patch

import fsspec
import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import drift_arrow as drift
from drift_arrow.engine.storage import objects
from drift_arrow.engine.storage.file_cache import FileCache
from harness.report import Bar, bar_table
from tests.s3 import BUCKET, serve
from tests.storage.network import Network, storage_behind

DIM = 128
THREADS = 64
LATENCY_S = 0.02
_GIB = 1 << 30
_OPEN = """
import sys, time
import drift_arrow as drift
for _ in range(5):
    started = time.perf_counter()
    with drift.open_path(sys.argv[1], read_only=True) as docs:
        print(time.perf_counter() - started)
        assert len(docs) > 0
"""


def table_of(n_rows: int, start: int = 0, dim: int = DIM) -> pa.Table:
    """Rows with an int64 key, a vector and two columns of payload."""
    rng = np.random.default_rng(start)
    vectors = rng.normal(size=(n_rows, dim)).astype(np.float32)
    return pa.table(
        {
            "id": np.arange(start, start + n_rows),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dim),
            "price": np.round(rng.gamma(2, 20, n_rows), 2),
            "ts": np.cumsum(rng.integers(1, 50, n_rows)),
        }
    )


def create(root: Path, table: pa.Table, memtable_bytes: int = _GIB) -> drift.Collection:
    """A collection of its own for tables like this one."""
    options = drift.Options(memtable_bytes=memtable_bytes)
    return drift.connect(root).create_collection(
        "docs", schema=table.schema, vector="embedding", key="id", options=options
    )


def seconds_of(call: Callable[[], object]) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def write_synced(descriptor: int, data: bytes) -> None:
    """Append bytes and wait for the disk."""
    os.write(descriptor, data)
    os.fdatasync(descriptor)


def single_adds(directory: Path, n_adds: int) -> Iterator[Bar]:
    """Adds of one row, each between two raw writes of as many bytes."""
    tables = [table_of(1, start) for start in range(n_adds)]
    with create(directory / "add", tables[0]) as docs:
        log = max((directory / "add/docs/wal").iterdir())
        before = log.stat().st_size
        docs.add(table_of(1, n_adds))
        data = os.urandom(log.stat().st_size - before)
        raw = os.open(directory / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        ours, disk = [], []
        for table in tables:
            disk.append(seconds_of(partial(write_synced, raw, data)))
            ours.append(seconds_of(partial(docs.add, table)))
        os.close(raw)
    us, disk_us = statistics.median(ours) * 1e6, statistics.median(disk) * 1e6
    note = f"{us:,.0f} us, fdatasync of {len(data)} bytes {disk_us:,.0f} us"
    yield Bar(name="add of one row / fdatasync", value=us / disk_us, limit=1.5, at_most=True, note=note)


def threaded_adds(directory: Path, seconds: float) -> Iterator[Bar]:
    """Rows per second of 64 threads that add one row at a time, against one thread; in turn."""
    rates: dict[int, list[float]] = {1: [], THREADS: []}
    with create(directory / "threads", table_of(1)) as docs:
        first = 0
        for n_threads in (1, THREADS) * 3:
            rates[n_threads].append(_rate(docs, n_threads, seconds, first))
            first += 10**8
    one, many = (statistics.median(rates[n_threads]) for n_threads in (1, THREADS))
    note = f"{many:,.0f} and {one:,.0f} rows/s"
    yield Bar(name=f"{THREADS} threads / one", value=many / one, limit=10, note=note)


def _rate(docs: drift.Collection, n_threads: int, seconds: float, first: int) -> float:
    table, counts = table_of(1).drop(["id"]), [0] * n_threads
    stop = time.perf_counter() + seconds

    def add(number: int) -> None:
        while time.perf_counter() < stop:
            key = pa.array([first + number * 10**6 + counts[number]])
            docs.add(table.add_column(0, "id", key))
            counts[number] += 1

    threads = [threading.Thread(target=add, args=(number,)) for number in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / seconds


def bulk_adds(directory: Path, n_rows: int) -> Iterator[Bar]:
    """One add of many rows, in turn with one write of the same bytes and an fsync."""
    tables = [table_of(n_rows, start * n_rows) for start in range(5)]
    data = b"".join(buffer for column in tables[0].columns for buffer in _buffers(column))
    ours, disk = [], []
    with create(directory / "bulk", tables[0], memtable_bytes=8 * _GIB) as docs:
        for number, table in enumerate(tables):
            raw = os.open(directory / f"bulk-{number}", os.O_WRONLY | os.O_CREAT)
            disk.append(seconds_of(partial(write_synced, raw, data)))
            os.close(raw)
            ours.append(seconds_of(partial(docs.add, table)))
    us, disk_s = statistics.median(ours), statistics.median(disk)
    note = f"{len(data) / us / 1e6:,.0f} and {len(data) / disk_s / 1e6:,.0f} MB/s"
    yield Bar(name="bulk add / write and fsync, in speed", value=disk_s / us, limit=0.6, note=note)


def _buffers(column: pa.ChunkedArray) -> Iterator[bytes]:
    for chunk in column.chunks:
        yield from (buffer.to_pybytes() for buffer in chunk.buffers() if buffer is not None)


def replay(directory: Path, n_bytes: int) -> Iterator[Bar]:
    """Opening a collection whose log holds so many bytes that were never flushed."""
    n_rows = 50_000
    table = table_of(n_rows)
    docs = create(directory / "replay", table, memtable_bytes=8 * _GIB)
    for start in range(0, n_bytes, table.nbytes):
        docs.add(table_of(n_rows, start // table.nbytes * n_rows))
    size = sum(file.stat().st_size for file in (directory / "replay/docs/wal").iterdir())
    # a process that has it open would share what it has
    docs.close()
    command = [sys.executable, "-c", _OPEN, str(directory / "replay/docs")]
    times = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    rate = size / statistics.median(map(float, times)) / 1e6
    yield Bar(name="replay, MB/s", value=rate, limit=300, note=f"{size / 1e9:.2f} GB")


def opening(directory: Path, n_rows: int) -> Iterator[Bar]:
    """Opening a collection of many flushed rows, for reading and for writing."""
    part = min(n_rows, 100_000)
    with create(directory / "open", table_of(1, dim=32)) as docs:
        for start in range(0, n_rows, part):
            docs.add(table_of(part, start, dim=32))
        docs.flush()
    path = directory / "open/docs"
    for read_only in (True, False):
        times = []
        for _ in range(7):
            started = time.perf_counter()
            docs = drift.open_path(path, read_only=read_only)
            times.append(time.perf_counter() - started)
            assert len(docs) == n_rows
            docs.close()
        name = f"opening {n_rows:,} rows to {'read' if read_only else 'write'}, ms"
        yield Bar(name=name, value=statistics.median(times) * 1e3, limit=100, at_most=True)


class Distant(Network):
    """A network on which every request takes the same time, and nothing is lost."""

    def _pause(self) -> None:
        time.sleep(LATENCY_S / 2)


def over_s3(directory: Path, n_rows: int) -> Iterator[Bar]:
    """Round trips and time of a search of one segment that is too large to be fetched whole, cold and warm."""
    uri, table = f"s3://{BUCKET}/speed", table_of(n_rows)
    query = np.asarray(table["embedding"][7].as_py(), np.float32)
    with serve() as options, patch.object(objects, "VERIFY_ON_OPEN_BYTES", 0):
        files = fsspec.filesystem("s3", use_listings_cache=False, **options)
        with drift.Database(storage_behind(Network(files), uri, FileCache(directory / "a", _GIB))) as db:
            docs = db.create_collection("docs", schema=table.schema, vector="embedding", key="id")
            docs.add(table)
            docs.flush()
        trips, cold, warm = [], [], []
        for number in range(3):
            network = Distant(files)
            cache = FileCache(directory / f"cold-{number}", _GIB)
            with drift.Database(storage_behind(network, uri, cache)) as db:
                search = db.collection("docs", read_only=True).search(query).limit(10)
                network.requests.clear()
                cold.append(seconds_of(search.to_arrow))
                trips.append(len(network.requests))
                network.requests.clear()
                warm.append(seconds_of(search.to_arrow))
                warm_trips = len(network.requests)
        (segment,) = files.find(f"{uri}/docs/segments")
        whole = Distant(files)
        whole_ms = statistics.median(seconds_of(lambda: whole.cat_file(segment)) for _ in range(3)) * 1e3
        segment_mb = files.size(segment) / 1e6
    cold_ms, warm_ms = statistics.median(cold) * 1e3, statistics.median(warm) * 1e3
    yield Bar(name="cold search, round trips", value=max(trips), limit=3, at_most=True, note=f"{cold_ms:.0f} ms")
    yield Bar(name="warm search, round trips", value=warm_trips, limit=0, at_most=True, note=f"{warm_ms:.1f} ms")
    note = f"{whole_ms:.0f} ms to read the file of {segment_mb:.0f} MB"
    yield Bar(name="cold search / reading the file whole", value=cold_ms / whole_ms, limit=1, at_most=True, note=note)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ["add", "threads", "bulk", "replay", "open", "s3"]
    parser.add_argument(
        "--parts", nargs="+", choices=parts, default=parts, metavar="PART", help=f"of {' '.join(parts)}"
    )
    parser.add_argument("--directory", type=Path, default=Path.cwd(), help="on the disk that is measured; here")
    parser.add_argument("--quick", action="store_true", help="small sizes, which show little")
    return parser.parse_args()


def main() -> None:
    """Measure the parts that are asked for, and print their bars."""
    arguments = parse_arguments()
    scale = 0.05 if arguments.quick else 1.0
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="drift-durability-") as name:
        directory = Path(name)
        parts: dict[str, Callable[[], Iterator[Bar]]] = {
            "add": lambda: single_adds(directory, int(1000 * scale)),
            "threads": lambda: threaded_adds(directory, 5 * scale),
            "bulk": lambda: bulk_adds(directory, int(200_000 * scale)),
            "replay": lambda: replay(directory, int(1e9 * scale)),
            "open": lambda: opening(directory, int(1e6 * scale)),
            "s3": lambda: over_s3(directory, int(1e5 * scale)),
        }
        bars: list[Bar] = []
        for part in arguments.parts:
            bars += parts[part]()
    print(bar_table(bars))


if __name__ == "__main__":
    main()
