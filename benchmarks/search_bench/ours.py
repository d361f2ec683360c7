"""drift: its public interface, and the call below it."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

import drift_arrow as drift
from drift_arrow.engine.execute import Request
from drift_arrow.engine.ranking import Ranked, rank_rows
from drift_arrow.engine.run import Run
from search_bench.contender import K, Range, Setting, padded
from search_bench.data_set import KEY, VECTOR, DataSet

_NAME: Final = "bench"
_BATCH_ROWS: Final = 10_000
_WARM_ROWS: Final = 2_000
_WARM_QUERIES: Final = 100
_TARGETS: Final = (0.8, 0.9, 0.95, 0.99)
_PROBES: Final = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384)


class Drift:
    """``docs.search(query).limit(10).select([three columns]).to_arrow()`` on a durable collection."""

    _is_reader = False

    def __init__(self, data: DataSet, folder: Path, variant: Setting, n_threads: int) -> None:
        del variant, n_threads
        self._data, self._folder = data, folder
        self._payload = data.payload_names
        self._setting: Setting = {}
        self._within: Range | None = None
        self._db: Any = None

    @staticmethod
    def variants(data: DataSet) -> list[Setting]:
        """One."""
        del data
        return [{}]

    @staticmethod
    def fingerprint() -> str:
        """Of the sources: other sources build other collections."""
        digest = hashlib.sha256()
        for path in sorted(Path(drift.__file__).parent.rglob("*.py")):
            digest.update(path.read_bytes())
        return digest.hexdigest()

    def warm(self) -> None:
        """Compile or load kernels, by a small collection of the same shape."""
        rows = self._data.table(0, _WARM_ROWS)
        queries = self._data.queries[:_WARM_QUERIES]
        with tempfile.TemporaryDirectory() as folder, drift.connect(folder) as db:
            docs = self._create(db, rows)
            docs.add(rows)
            docs.flush()
            for query in (queries[0], queries):
                docs.search(query).limit(K).to_arrow()

    def prepare(self) -> None:
        """A table."""
        self._table = self._data.table()

    def _create(self, db: Any, rows: pa.Table) -> Any:
        return db.create_collection(_NAME, schema=rows.schema, vector=VECTOR, key=KEY, metric=self._data.metric)

    def build(self) -> None:
        """Add in batches, each durable when `add` returns, then flush."""
        with drift.connect(str(self._folder)) as db:
            docs = self._create(db, self._table)
            for start in range(0, len(self._table), _BATCH_ROWS):
                docs.add(self._table.slice(start, _BATCH_ROWS))
            docs.flush()

    def open(self) -> None:
        """Open the collection."""
        self._db = drift.connect(str(self._folder))
        self._docs = self._db.collection(_NAME, read_only=self._is_reader)

    def sweep(self, *, is_batch: bool) -> list[list[Setting]]:
        """Calibrated targets, and fixed numbers of buckets."""
        del is_batch
        return [[{"target_recall": target} for target in _TARGETS], [{"nprobe": n_probe} for n_probe in _PROBES]]

    def use(self, setting: Setting) -> None:
        """Target or number of buckets."""
        self._setting = setting

    def restrict(self, within: Range | None) -> None:
        """By a condition in SQL."""
        self._within = within

    def _request(self, queries: NDArray[np.float32]) -> Any:
        search = self._docs.search(queries).limit(K)
        if self._within is not None:
            search = search.where(self._within.sql)
        if "nprobe" in self._setting:
            return search.nprobe(self._setting["nprobe"])
        return search.target_recall(self._setting["target_recall"])

    def one(self, query: NDArray[np.float32]) -> object:
        """The whole call."""
        return self._request(query).select(self._payload).to_arrow()

    def many(self, queries: NDArray[np.float32]) -> object:
        """The whole call."""
        return self._request(queries).select(self._payload).to_arrow()

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Keys."""
        if is_batch:
            keys: NDArray[np.int64] = self._request(queries).select([KEY]).to_arrow()[KEY].to_numpy()
            return keys.reshape(len(queries), K)
        return np.stack([padded(self._request(query).select([KEY]).to_arrow()[KEY].to_numpy()) for query in queries])

    def close(self) -> None:
        """Close the database."""
        if self._db is not None:
            self._db.close()


class DriftKernel(Drift):
    """What the engine calls below the interface: numbers and exact distances of rows, without a result table."""

    # the other contender holds the collection open for writing
    _is_reader = True

    def open(self) -> None:
        """Pin one snapshot for good."""
        super().open()
        self._snapshot = self._docs.pin()

    def use(self, setting: Setting) -> None:
        """A request is made once and given other queries."""
        super().use(setting)
        # as `to_arrow` makes it
        request = self._request(self._data.queries[0])._request()  # noqa: SLF001
        self._run = Run.of(self._snapshot, self._docs.spec, request)

    def _hits(self, queries: NDArray[np.float32], *, is_batch: bool) -> list[Ranked]:
        run = self._run
        request = Request(queries=queries, is_batch=is_batch, predicate=None, columns=(), goal=run.goal)
        return rank_rows(Run(run.space, run.spec, request, run.goal, run.maker))

    def one(self, query: NDArray[np.float32]) -> object:
        """Row numbers and distances."""
        return self._hits(query[np.newaxis], is_batch=False)

    def many(self, queries: NDArray[np.float32]) -> object:
        """Row numbers and distances."""
        return self._hits(queries, is_batch=True)

    def find(self, queries: NDArray[np.float32], *, is_batch: bool) -> NDArray[np.int64]:
        """Keys of the rows."""
        parts = [queries] if is_batch else [query[np.newaxis] for query in queries]
        ids = np.concatenate([ranked.hits.ids for part in parts for ranked in self._hits(part, is_batch=is_batch)])
        keys: NDArray[np.int64] = self._run.space.take(ids, [KEY])[KEY].to_numpy()
        return keys.reshape(len(queries), K)
