"""The handle that a user holds: one open collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from drift_arrow.engine.collection_view import CollectionView
from drift_arrow.engine.core import Core
from drift_arrow.engine.heal.healer import heal
from drift_arrow.engine.ingest import check_table
from drift_arrow.engine.keys import as_keys
from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.registry import release_core
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from types import TracebackType

    import polars as pl
    import pyarrow.compute as pc


class Collection(CollectionView):
    """Rows with a key, a vector and any other columns: durable, searchable at once, compressed in the background.

    Handles of one collection in one process share one writer; the collection closes with the last of them. Get one from
    `Database.create_collection` or `Database.collection`.

    Notes
    -----
    After `add`, `upsert` or `delete` has returned, its effect survives a crash of the process or the machine, and every
    later search sees it. A batch is atomic. All methods may be called from several threads.
    """

    def __init__(self, name: str, core: Core | Reader, *, read_only: bool) -> None:
        super().__init__(name, core)
        self._owned = core
        self._read_only = read_only

    @property
    def read_only(self) -> bool:
        """Whether writes through this handle are refused."""
        return self._read_only

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

    def flush(self) -> None:
        """Bring all rows into segments now, and delete the files that nothing names any more."""
        core = self._writer()
        core.freeze()
        while core.flush_frozen():
            pass
        core.collect_garbage()

    def heal(self, budget_rows: int | None = None, *, dry_run: bool = False) -> pl.DataFrame:
        """Make searches as fast as those of a fresh collection, as the Janitor does in the background.

        Parameters
        ----------
        budget_rows : int, optional
            Most rows that move; by default, all that is worth it.
        dry_run : bool
            Only say what would be tried.

        Returns
        -------
        polars.DataFrame
            A row per action, in order: `action`, `reason`, `buckets`, `rows` that move, `expected_gain_us` and
            `verified_gain_us` per query, and `outcome`: ``done``, ``no gain``, ``over budget``, or ``planned``.
        """
        return heal(self._writer(), budget_rows, dry_run=dry_run)

    def refresh(self) -> None:
        """Let a read-only handle see the newest durable state; others always do."""
        self._check_open()
        if isinstance(self._owned, Reader):
            self._owned.refresh()

    def close(self) -> None:
        """Let go of the collection; the last handle in the process ends its Janitor and finishes its log."""
        if self._closed:
            return
        self._closed = True
        if isinstance(self._owned, Core):
            release_core(self._owned.storage.uri)
        else:
            self._owned.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mode(self) -> str:
        return ", read-only" if self._read_only else ""

    def _insert(self, data: Any, *, is_upsert: bool) -> int:
        core = self._writer()
        record_batch = check_table(data, self.spec)
        return core.insert(record_batch, is_upsert=is_upsert) if record_batch.num_rows else 0

    def _writer(self) -> Core:
        self._check_open()
        if self._read_only or not isinstance(self._owned, Core):
            message = f"the collection was opened with read_only=True: open it for writing; name={self.name!r}"
            raise InvalidArgumentError(message)
        self._owned.check_open()
        return self._owned
