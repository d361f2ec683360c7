"""The handle that a user holds: one open collection."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from drift_arrow.engine.core import Core
from drift_arrow.engine.ingest import check_table
from drift_arrow.engine.keys import as_keys
from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.registry import release_core
from drift_arrow.engine.scan import SCAN_BATCH_ROWS, scan_batches, scan_lazy
from drift_arrow.engine.search import Search, make_search
from drift_arrow.engine.stats import CollectionStats, VerifyReport, collect_stats
from drift_arrow.engine.vectors import as_queries
from drift_arrow.errors import ClosedError, InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

    import polars as pl
    import pyarrow.compute as pc

    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options


class Collection:
    """Rows with a key, a vector and any other columns: durable, searchable at once, compressed in the background.

    Handles of one collection in one process share one writer; the collection closes with the last of them. Get one from
    `Database.create_collection` or `Database.collection`.

    Notes
    -----
    After `add`, `upsert` or `delete` has returned, its effect survives a crash of the process or the machine, and every
    later search sees it. A batch is atomic. All methods may be called from several threads.
    """

    def __init__(self, name: str, core: Core | Reader, *, read_only: bool) -> None:
        self._name = name
        self._core = core
        self._read_only = read_only
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
    def read_only(self) -> bool:
        """Whether writes through this handle are refused."""
        return self._read_only

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

    def add(self, data: Any) -> int:
        """Add rows with new keys, as one atomic batch; returns how many.

        Parameters
        ----------
        data : table
            Arrow, Polars or pandas, or anything with `__arrow_c_stream__`; its columns must be the collection's.

        Raises
        ------
        AlreadyExistsError
            A key exists; the message names it. Nothing was written.
        InvalidArgumentError
            A wrong column or type, a null or repeated key, a vector that is null, not finite or of the wrong dimension.
            Nothing was written.
        LimitExceededError
            The batch is larger than `MAX_BATCH_BYTES`.
        PoisonedError, StorageError
            The log failed; the batch is not acknowledged.
        """
        return self._insert(data, is_upsert=False)

    def upsert(self, data: Any) -> int:
        """Add rows, replacing those whose key exists, as one atomic batch; returns how many. Raises as `add`."""
        return self._insert(data, is_upsert=True)

    def delete(self, *, keys: Any = None, where: str | pl.Expr | pc.Expression | None = None) -> int:
        """Delete rows by key or by condition; returns how many there were.

        Parameters
        ----------
        keys : sequence of keys, optional
            Keys that do not exist are ignored.
        where : str, polars.Expr or pyarrow.compute.Expression, optional
            As in `Search.where`.

        Raises
        ------
        InvalidArgumentError
            Not exactly one of both, or a bad key or condition.
        PoisonedError, StorageError
            The log failed; the deletion is not acknowledged.
        """
        core = self._writer()
        if (keys is None) == (where is None):
            message = "delete takes either keys= or where="
            raise InvalidArgumentError(message)
        if where is not None:
            return core.delete_where(make_predicate(where, self.spec))
        wanted = as_keys(keys, self.spec)
        return core.delete(wanted) if len(wanted) else 0

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
        names = self.schema.names if columns is None else list(columns)
        self.spec.check_columns(names)
        self._check_open()
        return self._core.get(as_keys(keys, self.spec), names)

    def scan(self) -> pl.LazyFrame:
        """All rows as they are now, as a LazyFrame that reads only what a query needs."""
        return scan_lazy(self.pin(), self.spec, self.name)

    def to_batches(
        self, columns: Sequence[str] | None = None, batch_rows: int = SCAN_BATCH_ROWS
    ) -> Iterator[pa.RecordBatch]:
        """All rows as they are now, in batches of at most `batch_rows` rows; all columns by default."""
        names = self.schema.names if columns is None else list(columns)
        self.spec.check_columns(names)
        return scan_batches(self.pin(), names, batch_rows)

    def flush(self) -> None:
        """Bring all rows into segments now, and delete the files that nothing names any more."""
        core = self._writer()
        core.freeze()
        while core.flush_frozen():
            pass
        core.collect_garbage()

    def refresh(self) -> None:
        """Let a read-only handle see the newest durable state; others always do."""
        self._check_open()
        if isinstance(self._core, Reader):
            self._core.refresh()

    def stats(self) -> CollectionStats:
        """Counts and sizes; see `CollectionStats`."""
        return collect_stats(self._core.storage, self.spec, self.pin())

    def verify(self) -> VerifyReport:
        """Check every byte on disk; raises CorruptionError with path and offset of the first damage."""
        self._check_open()
        return self._core.verify()

    def close(self) -> None:
        """Let go of the collection; the last handle in the process ends its Janitor and finishes its log."""
        if self._closed:
            return
        self._closed = True
        if isinstance(self._core, Core):
            release_core(self._core.storage.uri)
        else:
            self._core.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return self.pin().n_live

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{len(self):,} rows"
        mode = ", read-only" if self._read_only else ""
        return (
            f"<Collection {self.name!r}: {state}, {self.vector!r} {self.dim}-d {self.metric}, key {self.key!r}{mode}>"
        )

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

    def _insert(self, data: Any, *, is_upsert: bool) -> int:
        core = self._writer()
        record_batch = check_table(data, self.spec)
        return core.insert(record_batch, is_upsert=is_upsert) if record_batch.num_rows else 0

    def _writer(self) -> Core:
        self._check_open()
        if self._read_only or not isinstance(self._core, Core):
            message = f"the collection was opened with read_only=True: open it for writing; name={self.name!r}"
            raise InvalidArgumentError(message)
        self._core.check_open()
        return self._core

    def _check_open(self) -> None:
        if self._closed:
            message = f"the collection is closed: open it again; name={self.name!r}"
            raise ClosedError(message)
