"""The handle that a user holds: one open collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from drift_arrow.engine.collection_view import CollectionView
from drift_arrow.engine.core import Core
from drift_arrow.engine.heal.healer import heal
from drift_arrow.engine.ingest import as_table, check_table
from drift_arrow.engine.keys import as_keys
from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.registry import release_core
from drift_arrow.engine.restore import restore, tag_newest
from drift_arrow.engine.row_space import RowSpace
from drift_arrow.engine.signs.contract import Contract, delete_contract, make_contract, read_contract, write_contract
from drift_arrow.engine.signs.row_sample import sample_rows
from drift_arrow.engine.tags import create_tag, delete_tag, tag_path
from drift_arrow.engine.versions import find_version
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from types import TracebackType

    import polars as pl
    import pyarrow.compute as pc

_CONTRACT_ROWS: Final = 4096


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
            A wrong column or type, a null or repeated key, a vector that is null, not finite, of the wrong dimension,
            or against the contract. Nothing was written.
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

    @property
    def contract(self) -> Contract | None:
        """What vectors must be like to be added, or None if any will do."""
        self._check_open()
        if isinstance(self._owned, Core):
            return self._owned.contract
        return read_contract(self._owned.storage, self.spec, self.pin().manifest.collection_uuid)

    def set_contract(self, model: str, *, like: Any = None, canaries: Mapping[Any, Any] | None = None) -> None:
        """From now on refuse batches whose vectors another model made; raises as `make_contract`, or StorageError.

        Parameters
        ----------
        model : str
            Its name; a table whose Arrow metadata has another one as ``embedding_model`` is refused.
        like : (n, dim) array, optional
            Vectors whose lengths others must have; by default, of rows of the collection.
        canaries : mapping of key to vector, optional
            Rows that are embedded with every batch, and must come out as they are here.
        """
        core, snapshot = self._writer(), self.pin()
        if like is None:
            like = sample_rows(RowSpace(snapshot, None), _CONTRACT_ROWS, 0)[1]
        contract = make_contract(model, like, canaries, self.spec, snapshot.manifest.collection_uuid)
        core.maintenance.undisturbed(lambda: write_contract(core.storage, contract))
        core.contract = contract

    def drop_contract(self) -> None:
        """Let any vectors in again."""
        core = self._writer()
        core.maintenance.undisturbed(lambda: delete_contract(core.storage))
        core.contract = None

    def flush(self) -> None:
        """Bring all rows into segments now, and delete the files that nothing names any more."""
        core = self._writer()
        core.freeze()
        while core.maintenance.flush_frozen():
            pass
        core.maintenance.collect_garbage()

    def restore(self, which: int | datetime | str) -> int:
        """Bring the rows of an older version back; returns the number of the new version that holds them.

        Rows that were added since are gone, and rows that were deleted since are there again. Nothing is copied. The
        rows of before are the version below the new one: with `retained_versions` of 2 or more, or a tag, they can be
        restored again.

        Parameters
        ----------
        which : int, datetime or str
            As in `at`, and so are the errors; with any of them nothing is gone.
        """
        return restore(self._writer(), which)

    def tag(self, name: str, which: int | datetime | str | None = None) -> int:
        """Keep a version under a name until `untag`; returns its number.

        Parameters
        ----------
        name : str
            1 to 63 of ``a-z 0-9 . _ -``, starting with a letter or digit.
        which : int, datetime or str, optional
            As in `at`. By default all rows as they are now, which are flushed for it.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        NotFoundError, InvalidArgumentError
            No such version, or it cannot be a name.
        """
        core = self._writer()
        tag_path(name)
        if which is None:
            return tag_newest(core, name)
        return core.maintenance.undisturbed(
            lambda: create_tag(core.storage, name, find_version(core.storage, which)).version
        )

    def untag(self, name: str) -> None:
        """Remove a tag, so that its version may go; raises NotFoundError, which names the tags that exist."""
        core = self._writer()
        core.maintenance.undisturbed(lambda: delete_tag(core.storage, name))

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

    def __reduce__(self) -> NoReturn:
        """Refuse copies: closing one would close the collection under the other handles."""
        message = f"a handle is neither copied nor pickled: open the collection again; path={self.path!r}"
        raise InvalidArgumentError(message)

    def _mode(self) -> str:
        return ", read-only" if self._read_only else ""

    def _insert(self, data: Any, *, is_upsert: bool) -> int:
        core = self._writer()
        table = as_table(data)
        record_batch = check_table(table, self.spec)
        if not record_batch.num_rows:
            return 0
        if core.contract is not None:
            core.contract.check(table.schema.metadata, record_batch, self.spec)
        return core.insert(record_batch, is_upsert=is_upsert)

    def _writer(self) -> Core:
        self._check_open()
        if self._read_only or not isinstance(self._owned, Core):
            message = f"the collection was opened with read_only=True: open it for writing; name={self.name!r}"
            raise InvalidArgumentError(message)
        self._owned.check_open()
        return self._owned
