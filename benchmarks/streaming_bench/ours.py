"""drift, with no call of a user but `add`, `delete` and `search`."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import drift_arrow as drift
from search_bench.contender import K, Setting
from search_bench.data_set import KEY, VECTOR
from streaming_bench.contender import Figures, moved_rows
from streaming_bench.stream import Stream

NAME: Final = "bench"
_TARGET: Final = 0.95
_LEAST_BATCH_ROWS: Final = 500
_WARM_ROWS: Final = 2_000
_KEY_BYTES: Final = 8

_LIKE_BYTES: Final = 1 << 30
"""Vectors of the collection whose proportions are measured; a benchmark cannot churn so many rows."""

_POLL_S: Final = 0.1
_BUSY_S: Final = 0.005
_QUIET_POLLS: Final = 2


def options_for(n_bytes: int, **given: Any) -> drift.Options:
    """Options that make a small collection what a large one is by default.

    Parameters
    ----------
    n_bytes : int
        Of the vectors that are alive at once.
    **given
        Options that are set to other than their defaults.

    Notes
    -----
    Sizes shrink as the collection does: with those of the defaults, all rows of a benchmark would stay in a memtable.
    """
    default = drift.Options()
    share = min(1.0, n_bytes / _LIKE_BYTES)
    scaled = replace(
        default,
        memtable_bytes=max(1, int(default.memtable_bytes * share)),
        merge_bytes=int(default.merge_bytes * share),
    )
    return replace(scaled, **given)


def as_table(numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> pa.Table:
    """Keys and vectors."""
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    return pa.table({KEY: numbers, VECTOR: column})


class Drift:
    """``docs.search(query).limit(10).target_recall(.95).select(["id"]).to_arrow()`` on a durable collection."""

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        self._stream, self._folder = stream, folder
        self._options = options_for(stream.most_live * stream.dim * 4, **variant)
        self._setting: Setting = {"target_recall": _TARGET}
        self._inserted = self._deleted = 0
        self._db: Any = None
        self.docs: Any = None

    def warm(self) -> None:
        """Compile or load kernels, by a small collection of the same shape."""
        rows = np.array(self._stream.array("vectors")[:_WARM_ROWS])
        with tempfile.TemporaryDirectory() as folder, drift.connect(folder) as db:
            docs = self._create(db)
            docs.add(as_table(np.arange(len(rows)), rows))
            docs.delete(keys=np.arange(10))
            docs.flush()
            for query in (rows[0], rows[:20]):
                docs.search(query).limit(K).to_arrow()

    def _create(self, db: Any) -> Any:
        schema = as_table(np.empty(0, dtype=np.int64), np.empty((0, self._stream.dim), dtype=np.float32)).schema
        metric, options = self._stream.metric, self._options
        return db.create_collection(NAME, schema=schema, vector=VECTOR, key=KEY, metric=metric, options=options)

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Create a collection and add."""
        self._db = drift.connect(str(self._folder))
        self.docs = self._create(self._db)
        self.insert(numbers, vectors)

    def settings(self) -> list[Setting]:
        """One: nobody tunes."""
        return [{"target_recall": _TARGET}]

    def use(self, setting: Setting) -> None:
        """A target."""
        self._setting = setting

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Add batches, each durable when `add` returns."""
        table = as_table(numbers, vectors)
        # as many as a memtable has: neither many small commits nor one that is a third of the collection
        n_batch = max(_LEAST_BATCH_ROWS, self._options.memtable_bytes // (self._stream.dim * 4))
        for start in range(0, len(table), n_batch):
            self.docs.add(table.slice(start, n_batch))
        self._inserted += len(table)

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Delete by key, all at once."""
        self.docs.delete(keys=numbers)
        self._deleted += len(numbers)

    def settle(self, seconds: float) -> None:
        """Until the Janitor has had nothing to do for a while."""
        started, n_quiet = time.perf_counter(), 0
        while n_quiet < _QUIET_POLLS and time.perf_counter() - started < seconds:
            cpu = time.process_time()
            time.sleep(_POLL_S)
            is_quiet = time.process_time() - cpu <= _BUSY_S and self.docs.stats().memtables == 1
            n_quiet = n_quiet + 1 if is_quiet else 0

    def one(self, query: NDArray[np.float32]) -> object:
        """The whole call."""
        return self.docs.search(query).limit(K).target_recall(self._setting["target_recall"]).select([KEY]).to_arrow()

    def ids(self, answer: object) -> NDArray[np.int64]:
        """Keys."""
        keys: NDArray[np.int64] = cast("pa.Table", answer)[KEY].to_numpy()
        return keys

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """From `stats` and `explain`; moved rows by the bytes written, without those of the log."""
        stats = self.docs.stats()
        stored = max(1, stats.rows + stats.deleted_rows - stats.memtable_rows)
        row_bytes = stats.segment_bytes / stored if stats.segment_bytes else self._stream.dim * 5
        logged = self._inserted * (self._stream.dim * 4 + _KEY_BYTES) + self._deleted * _KEY_BYTES
        flushed = self._inserted - stats.memtable_rows
        return {
            "scanned": self.scanned(queries, self._setting["target_recall"]),
            "moved": moved_rows(written, logged=logged, row_bytes=row_bytes, inserted=flushed),
            "dead": stats.deleted_rows,
            "files": stats.files,
            "parts": stats.segments,
            "buckets": stats.buckets,
            "memtable": stats.memtable_rows,
        }

    def scanned(self, queries: NDArray[np.float32], target: float) -> float:
        """Rows compared per query."""
        explained = self.docs.search(queries).limit(K).target_recall(target).explain()
        return float(explained["scanned_rows"].sum()) / len(queries)

    def close(self) -> None:
        """Close the database."""
        if self._db is not None:
            self._db.close()
