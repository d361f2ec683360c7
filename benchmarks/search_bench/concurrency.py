"""One thread writes while four search."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

import drift_arrow as drift
from harness.report import Bar, aligned
from search_bench.contender import K
from search_bench.data_set import KEY, VECTOR, DataSet

_READERS: Final = 4
_BATCH_ROWS: Final = 1_000
_GROUP: Final = 8
"""Every so many searches, one asks for the rows that the writer replaces together."""

_SLOWER: Final = 3.0


class Readers:
    """Threads that search until they are told to stop.

    Notes
    -----
    The writer replaces K rows that lie far from all others, again and again, each time all of them in one batch with
    one new number in their first payload column. A search beside them must find K rows with one and the same number:
    a mixture would show two snapshots at once, fewer rows a moment between two.
    """

    def __init__(self, docs: Any, data: DataSet, beacon: Any) -> None:
        self._docs, self._queries, self._beacon = docs, data.queries, beacon
        self._mark = data.payload_names[0]
        self._payload = data.payload_names
        self.times: list[float] = []
        self.errors: list[str] = []
        self.torn = 0
        self.checked = 0
        self._is_over = threading.Event()

    def run(self, seconds: float) -> None:
        """Search for so long on all threads."""
        threads = [threading.Thread(target=self._read, args=(number,)) for number in range(_READERS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self._is_over.set()
        for thread in threads:
            thread.join()

    def _read(self, number: int) -> None:
        times: list[float] = []
        while not self._is_over.is_set():
            number += _READERS
            is_group = number // _READERS % _GROUP == 0
            query = self._beacon if is_group else self._queries[number % len(self._queries)]
            started = time.perf_counter()
            try:
                found = self._docs.search(query).limit(K).select(self._payload).to_arrow()
            except Exception as error:  # noqa: BLE001 - that none is raised is what is measured
                self.errors.append(f"{type(error).__name__}: {error}")
                continue
            times.append(time.perf_counter() - started)
            if is_group:
                self.checked += 1
                self.torn += len(found) != K or len(set(found[self._mark].to_pylist())) != 1
            elif len(found) != K:
                self.torn += 1
        self.times += times


def measure(folder: str, n_rows: int, seconds: float) -> dict[str, Any]:
    """Reader latencies without and with the writer, errors, and results that mix states."""
    data = DataSet.open(Path(folder))
    n_rows = min(n_rows, len(data.vectors) // 2)
    table = data.table()
    beacon = _beacon(data)
    with tempfile.TemporaryDirectory() as root, drift.connect(root) as db:
        docs = db.create_collection("bench", schema=table.schema, vector=VECTOR, key=KEY, metric=data.metric)
        docs.add(table.slice(0, n_rows))
        docs.upsert(_group(table, beacon, 0))
        docs.flush()
        warm = Readers(docs, data, beacon)
        warm.run(seconds / 4)
        alone = Readers(docs, data, beacon)
        alone.run(seconds)
        beside = Readers(docs, data, beacon)
        writer = Writer(docs, table, n_rows, beacon)
        writer.start()
        beside.run(seconds)
        written = writer.stop()
    quiet, busy = (np.percentile(one.times, [50, 99]) * 1e3 for one in (alone, beside))
    return {
        "errors": alone.errors + beside.errors + writer.errors,
        "torn": alone.torn + beside.torn,
        "checked": alone.checked + beside.checked,
        "written_per_second": written / seconds,
        "searches_per_second": [len(one.times) / seconds for one in (alone, beside)],
        "p50_ms": [quiet[0], busy[0]],
        "p99_ms": [quiet[1], busy[1]],
    }


class Writer(threading.Thread):
    """Adds batches, and replaces the group after each, until it is told to stop."""

    def __init__(self, docs: Any, table: pa.Table, start: int, beacon: Any) -> None:
        super().__init__()
        self._docs, self._table, self._at, self._beacon = docs, table, start, beacon
        self._is_over = threading.Event()
        self._written = 0
        self.errors: list[str] = []

    def run(self) -> None:
        """Write."""
        generation = 0
        try:
            while not self._is_over.is_set():
                generation += 1
                start = self._at + self._written % (len(self._table) - self._at)
                self._written += self._docs.upsert(self._table.slice(start, _BATCH_ROWS))
                self._written += self._docs.upsert(_group(self._table, self._beacon, generation))
        except Exception as error:  # noqa: BLE001 - that none is raised is what is measured
            self.errors.append(f"{type(error).__name__}: {error}")

    def stop(self) -> int:
        """Rows that were written."""
        self._is_over.set()
        self.join()
        return self._written


def _beacon(data: DataSet) -> Any:
    """A place far from all rows, whatever the metric."""
    lengths = np.sqrt(np.square(data.vectors[:10_000], dtype=np.float64).sum(axis=1))
    return (-4 * lengths.max() * np.ones(data.vectors.shape[1]) / data.vectors.shape[1] ** 0.5).astype(np.float32)


def _group(table: pa.Table, beacon: Any, generation: int) -> pa.Table:
    """K rows at the beacon with keys that no other row has, marked with a generation."""
    rows = table.slice(0, K)
    columns = dict(zip(rows.schema.names, rows.columns, strict=True))
    columns[KEY] = pa.array(np.arange(-K, 0))
    mark = rows.schema.field(1)
    columns[mark.name] = pa.array(np.full(K, generation)).cast(mark.type)
    matrix = np.tile(beacon, (K, 1)) * (1 + 1e-4 * np.arange(K, dtype=np.float32)[:, np.newaxis])
    columns[VECTOR] = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), len(beacon))
    return pa.table(columns, schema=rows.schema)


def show(found: dict[str, dict[str, Any]]) -> None:
    """One line per set."""
    head = (
        "4 readers",
        "errors",
        "torn",
        "checked",
        "rows/s",
        "searches/s",
        "beside",
        "p50 ms",
        "beside",
        "p99 ms",
        "beside",
    )
    lines = []
    for name, one in found.items():
        pairs = [f"{value:,.3g}" for key in ("searches_per_second", "p50_ms", "p99_ms") for value in one[key]]
        counts = (str(len(one["errors"])), str(one["torn"]), str(one["checked"]), f"{one['written_per_second']:,.0f}")
        lines.append((name, *counts, *pairs))
    print(f"\n== four threads search, alone and beside one that writes, two cores\n{aligned(head, lines)}", flush=True)
    for one in found.values():
        for error in dict.fromkeys(one["errors"]):
            print(f"error: {error}")


def bars(found: dict[str, dict[str, Any]]) -> Sequence[Bar]:
    """Errors, results that mix states, and how much slower the slowest searches become."""
    result = []
    for name, one in found.items():
        alone, beside = one["p99_ms"]
        note = f"{beside:.2f} against {alone:.2f} ms"
        result += [
            Bar(name=f"{name}: errors of 1 writer and 4 readers", value=len(one["errors"]), limit=0, at_most=True),
            Bar(
                name=f"{name}: results that mix states",
                value=one["torn"],
                limit=0,
                at_most=True,
                note=f"of {one['checked']}",
            ),
            Bar(
                name=f"{name}: p99 beside a writer / alone",
                value=beside / alone,
                limit=_SLOWER,
                at_most=True,
                note=note,
            ),
        ]
    return result
