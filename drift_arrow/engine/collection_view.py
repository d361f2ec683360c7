"""What can be read of a collection, whether it goes on or stands still at a version."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Protocol

from drift_arrow.engine.keys import as_keys
from drift_arrow.engine.past import open_past
from drift_arrow.engine.scan import SCAN_BATCH_ROWS, scan_batches, scan_lazy
from drift_arrow.engine.search import Search, make_search
from drift_arrow.engine.signs.drift_frame import drift_frame
from drift_arrow.engine.signs.query_shift import measure_query_shift
from drift_arrow.engine.signs.recall import measure_recall, recall_frame
from drift_arrow.engine.signs.search_diff import diff_searches
from drift_arrow.engine.stats import CollectionStats, collect_stats
from drift_arrow.engine.vectors import as_queries
from drift_arrow.engine.versions import tags_frame, versions_frame
from drift_arrow.errors import ClosedError, InvalidArgumentError
from drift_arrow.options import DEFAULT_K, DEFAULT_TARGET_RECALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    import polars as pl
    import pyarrow as pa

    from drift_arrow.engine.signs.query_shift import QueryShift
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage
    from drift_arrow.engine.verify import VerifyReport
    from drift_arrow.options import Options


class Readable(Protocol):
    """The state behind a handle, as far as reading needs it."""

    storage: Storage
    spec: CollectionSpec
    options: Options
    snapshot: Snapshot

    def get(self, keys: pa.Array, columns: list[str]) -> pa.Table:
        """Rows of the given keys, in their order, left out where there is none."""

    def verify(self) -> VerifyReport:
        """Check every byte on disk."""

    def check_open(self) -> None:
        """Raise ClosedError after it was closed."""


class CollectionView:
    """Rows with a key, a vector and any other columns, to be searched and read.

    Parameters
    ----------
    name : str
        Within its database.
    core : Readable
        What is read; shared with other handles.
    """

    def __init__(self, name: str, core: Readable) -> None:
        self._name = name
        self._core = core
        self._closed = False

    @property
    def name(self) -> str:
        """Name within its database."""
        return self._name

    @property
    def path(self) -> str:
        """Where it lives; DuckDB's `drift_search` takes it."""
        return self._core.storage.uri

    @property
    def schema(self) -> pa.Schema:
        """All columns; the vector is a FixedSizeList."""
        return self.spec.schema

    @property
    def vector(self) -> str:
        """Name of the vector column."""
        return self.spec.vector

    @property
    def key(self) -> str:
        """Name of the key column."""
        return self.spec.key

    @property
    def metric(self) -> str:
        """`l2` (squared), `cosine` (1 - cos) or `dot` (negative inner product)."""
        return self.spec.metric

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self.spec.dim

    @property
    def closed(self) -> bool:
        """Whether this handle was closed."""
        return self._closed

    @property
    def spec(self) -> CollectionSpec:
        """Checked shape, for surfaces."""
        return self._core.spec

    @property
    def options(self) -> Options:
        """Settings that it was created with."""
        return self._core.options

    def pin(self) -> Snapshot:
        """The newest durable state, for surfaces; see `Source.pin`."""
        self._check_open()
        self._core.check_open()
        return self._core.snapshot

    def search(self, query: Any) -> Search:
        """Start a search for one vector, (dim,), or for many, (n, dim).

        Examples
        --------
        >>> docs.search(query).where("price < 10").limit(5).to_polars()  # doctest: +SKIP
        """
        queries, is_batch = as_queries(query, self.dim)
        return make_search(self, queries, is_batch=is_batch)

    def get(self, keys: Any, columns: Sequence[str] | None = None) -> pa.Table:
        """Rows of the given keys, in their order; keys that do not exist are left out.

        Parameters
        ----------
        keys : sequence of keys
            Of the key column's type.
        columns : sequence of str, optional
            All columns, the vector too, by default.
        """
        names = self.schema.names if columns is None else self.spec.check_columns(columns)
        self._check_open()
        return self._core.get(as_keys(keys, self.spec), names)

    def scan(self) -> pl.LazyFrame:
        """All rows as they are now, as a LazyFrame that reads only what a query needs."""
        return scan_lazy(self.pin(), self.spec, self.name)

    def to_batches(
        self, columns: Sequence[str] | None = None, batch_rows: int = SCAN_BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """All rows as they are now, in batches of at most `batch_rows` rows, at least 1; all columns by default."""
        names = self.schema.names if columns is None else self.spec.check_columns(columns)
        if type(batch_rows) is not int or batch_rows < 1:
            message = f"batch_rows is an int from 1; got={batch_rows!r}"
            raise InvalidArgumentError(message)
        return scan_batches(self.pin(), names, batch_rows)

    def versions(self) -> pl.DataFrame:
        """The versions that exist, oldest first: version, created, rows, segments, bytes, seqno and tags of each.

        A version is what a flush, a heal or a restore committed: all operations up to its `seqno`, and none after it.
        Rows that are not flushed yet are in none.
        """
        self._check_open()
        return versions_frame(self._core.storage)

    def tags(self) -> pl.DataFrame:
        """The tags by name: tag, version and created of each."""
        self._check_open()
        return tags_frame(self._core.storage)

    def at(self, which: int | datetime | str) -> PastView:
        """The collection as it was in one version, to be searched and read; it never changes.

        Parameters
        ----------
        which : int, datetime or str
            The number of a version, a time (with its zone) at which it was the newest one, or a tag.

        Raises
        ------
        NotFoundError
            No such version, or it was not kept; the message names those that exist.
        InvalidArgumentError, CorruptionError
            Not a version, or a damaged one.
        """
        self._check_open()
        known = {view.entry.path: view.reader for view in self._core.snapshot.segments}
        return PastView(self._name, open_past(self._core.storage, which, known))

    def diff(
        self, query: Any, before: int | datetime | str, after: int | datetime | str, k: int = DEFAULT_K
    ) -> pl.DataFrame:
        """What a search gained and lost between two versions, as `at` takes them, and why; see `diff_searches`."""
        queries, _ = as_queries(query, self.dim)
        return diff_searches(self.at(before), self.at(after), queries, k)

    def stats(self) -> CollectionStats:
        """Counts and sizes; see `CollectionStats`."""
        return collect_stats(self._core.storage, self.spec, self.pin())

    def drift(self) -> pl.DataFrame:
        """What became of each bucket, and who reads it, the most urgent first; columns as in `drift_frame`."""
        return drift_frame(self.pin()).sort("urgency", descending=True, maintain_order=True)

    def query_shift(self) -> QueryShift:
        """How unlike the rows the vectors are that this process searched for."""
        return measure_query_shift(self.pin())

    def recall(
        self, k: int = DEFAULT_K, sample: int = 256, targets: Sequence[float] = (DEFAULT_TARGET_RECALL,)
    ) -> pl.DataFrame:
        """Measure what searches find: at most `sample` queries, answered at each target and exactly.

        Queries are sampled from those of this process; without any, rows stand in. Columns as in `recall_frame`.
        """
        snapshot = self.pin()
        measured = measure_recall(snapshot, self.spec, self.options, k=k, sample=sample, targets=targets)
        snapshot.observations.add_measurements(measured)
        return recall_frame(measured)

    def recall_history(self) -> pl.DataFrame:
        """Every recall that was measured, oldest first; those of a writer are kept with its next flush or close."""
        return recall_frame(self.pin().observations.measurements)

    def verify(self) -> VerifyReport:
        """Check every byte on disk, keys against filters and counts against rows; see `VerifyReport`.

        Raises
        ------
        CorruptionError, NotFoundError
            Path and offset of the first damage, or the name of a missing file.
        """
        self._check_open()
        return self._core.verify()

    def __len__(self) -> int:
        return self.pin().n_live

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        # not by `pin`, which would take an error of the Janitor from the next caller
        state = "closed" if self._closed else f"{self._core.snapshot.n_live:,} rows"
        shape = f"{self.vector!r} {self.dim}-d {self.metric}, key {self.key!r}"
        return f"<Collection {self.name!r}: {state}, {shape}{self._mode()}>"

    def _repr_html_(self) -> str:
        if self._closed:
            return html.escape(repr(self))
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td style='text-align:right'>{value:,}</td></tr>"
            if isinstance(value, int)
            else f"<tr><td>{html.escape(name)}</td><td>{html.escape(str(value))}</td></tr>"
            for name, value in self.stats().to_dict().items()
        )
        return f"<b>{html.escape(repr(self))}</b><table>{rows}</table>"

    def _mode(self) -> str:
        """What its repr says last."""
        return ""

    def _check_open(self) -> None:
        if self._closed:
            message = f"the collection is closed: open it again; name={self.name!r}"
            raise ClosedError(message)


class PastView(CollectionView):
    """One version of a collection; see `CollectionView.at`. It outlives the handle that it came from."""

    @property
    def version(self) -> int:
        """Number of the version."""
        return self._core.snapshot.manifest.version

    def _mode(self) -> str:
        return f", version {self.version}"
