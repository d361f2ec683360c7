"""The open collection that all handles of a process share: order of writes, durability, publication."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from drift_arrow.engine.apply import apply_delete, apply_insert, with_room
from drift_arrow.engine.graph import wants_graph
from drift_arrow.engine.heal.relocation import Rotation, swap_in
from drift_arrow.engine.ingest import Batch, make_batch
from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.maintenance import Maintenance
from drift_arrow.engine.row_space import RowSpace, take_found
from drift_arrow.engine.signs.contract import read_contract
from drift_arrow.engine.snapshot import find_live
from drift_arrow.engine.wal import Wal
from drift_arrow.errors import AlreadyExistsError, ClosedError
from drift_arrow.format.batch import encode_batch
from drift_arrow.format.wal_record import RecordType
from drift_arrow.options import FROZEN_MEMTABLES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from drift_arrow.engine.heal.relocation import Relocated
    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.recovery import Recovered
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.storage import Lock, Storage
    from drift_arrow.engine.verify import VerifyReport

_NOTICED_SHARE: Final = 0.02
"""Deleted rows, of those alive, that wake the Janitor."""


class Core:
    """Writer state of one collection.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    lock : Lock
        The exclusive right to write, released by `close`.
    recovered : Recovered
        What the files said.

    Notes
    -----
    `churned_rows` counts rows that were written or deleted since the collection was opened, `moved_rows` those that
    went from one segment to another.

    Two snapshots: `head` includes operations that are logged but perhaps not yet durable and is seen by writers only;
    `snapshot` is the newest durable one and the only one that readers see. A write goes: check and log under the lock,
    sync outside it (so that concurrent writers share one sync), publish. A published snapshot is never replaced by an
    older one.
    """

    def __init__(self, storage: Storage, lock: Lock, recovered: Recovered) -> None:
        self.storage = storage
        self.spec = recovered.spec
        self.options = recovered.options
        self.snapshot = recovered.snapshot
        self.contract = read_contract(storage, self.spec, self.snapshot.manifest.collection_uuid)
        self.wake_janitor: Callable[[], None] = lambda: None
        self.churned_rows = self.moved_rows = 0
        self._unseen_deletions = 0
        self.maintenance = Maintenance(self)
        self._head = recovered.snapshot
        # the rows up to the rotation and no change after it: what a flush commits is exactly the state at its seqno
        self._base = recovered.snapshot
        self._lock = lock
        self._writing = threading.Condition()
        self._publishing = threading.Lock()
        self._background_error: Exception | None = None
        self.closed = False
        # where writers share the names of logs, one that has committed nothing left no epoch behind, but a log object:
        # two writers on one version must not have the same
        self._writer_epoch = recovered.writer_epoch + (1 if storage.appends else recovered.next_wal_number)
        uuid = recovered.snapshot.manifest.collection_uuid
        self._wal = Wal(storage, uuid, self._writer_epoch, recovered.next_wal_number, recovered.next_seqno)
        manifest = recovered.snapshot.manifest
        self._rotation = self._rotated(manifest.wal_floor, manifest.last_seqno)
        if not recovered.is_clean or len(recovered.snapshot.memtables) > 1:
            try:
                self._settle(recovered)
            except BaseException:
                self._wal.abandon()
                raise

    def _settle(self, recovered: Recovered) -> None:
        """Bring what was replayed into a segment: after a crash, pages of the old log may be in the cache alone."""
        self._rotation = self._rotated(recovered.next_wal_number, recovered.next_seqno - 1)
        self.snapshot = self._head = self._base = with_room(self._head, 1, self.spec, self.options)
        self.maintenance.flush_frozen()

    def insert(self, record_batch: pa.RecordBatch, *, is_upsert: bool) -> int:
        """Log and apply a batch in the collection's schema; returns its rows once they are durable and visible.

        Raises
        ------
        AlreadyExistsError
            A key exists and `is_upsert` is false; nothing was written.
        InvalidArgumentError, PoisonedError, ClosedError
            Nothing was acknowledged.
        """
        batch = _owned(make_batch(record_batch, self.spec))
        payload = encode_batch(record_batch)
        with self._writing:
            self._make_room(batch.n_rows)
            if not is_upsert:
                # rows whose log failed are not there, although the head has them
                self.check_log()
                self._refuse_existing(batch)
            seqno = self._wal.append(RecordType.UPSERT if is_upsert else RecordType.ADD, payload)
            with self._wal.poisoned_by_failure():
                head = self._head = apply_insert(self._head, batch, seqno, is_new=not is_upsert)
            self.churned_rows += batch.n_rows
        self._commit(head)
        if wants_graph(self.spec, head.memtables[-1].n_rows, self.options.graph_rows):
            self.wake_janitor()
        return batch.n_rows

    def delete(self, keys: pa.Array) -> int:
        """Log and apply the deletion of checked keys; returns how many rows were alive."""
        schema = pa.schema([self.spec.schema.field(self.spec.key)])
        payload = encode_batch(pa.RecordBatch.from_arrays([keys], schema=schema))
        fingerprints = fingerprint_keys(keys, self.spec)
        with self._writing:
            self.check_open()
            seqno = self._wal.append(RecordType.DELETE, payload)
            with self._wal.poisoned_by_failure():
                head, n_killed = apply_delete(self._head, fingerprints, seqno)
                self._head = head
            self.churned_rows += n_killed
            self._unseen_deletions += n_killed
            is_noticeable = self._unseen_deletions > _NOTICED_SHARE * head.n_live
            if is_noticeable:
                self._unseen_deletions = 0
        self._commit(head)
        if is_noticeable:
            self.wake_janitor()
        return n_killed

    def delete_where(self, predicate: Predicate) -> int:
        """Delete all rows that satisfy `predicate` now; writers wait meanwhile, so none slips through."""
        with self._writing:
            self.check_open()
            space = RowSpace(self._head, predicate)
            keys = space.take(space.allowed_ids(), [self.spec.key]).column(0).combine_chunks()
            return self.delete(keys) if len(keys) else 0

    def get(self, keys: pa.Array, columns: list[str]) -> pa.Table:
        """Rows of the given keys, in their order, left out where there is none."""
        fingerprints = fingerprint_keys(keys, self.spec)
        with self._writing:
            self.check_open()
            head = self._head
            found = find_live(head.views, fingerprints)
        self._commit(head)
        return take_found(head, found, columns)

    def verify(self) -> VerifyReport:
        """Check every byte of the newest version; flushes wait meanwhile."""
        return self.maintenance.verify()

    def freeze(self) -> None:
        """Start a new memtable and log file, so that all that was logged before can be flushed; nothing if it was."""
        with self._writing:
            self.check_open()
            if self._head.seqno > self._rotation.last_seqno:
                self._rotate(1)

    def flushable(self) -> tuple[Snapshot, Rotation]:
        """The rows up to the newest rotation, with no change after it, and the rotation."""
        with self._writing:
            return self._base, self._rotation

    def check_log(self) -> None:
        """Raise PoisonedError if the log failed: each attempt to build on it would leave one more segment behind."""
        self._wal.check_usable()

    def unflushed_deletions(self) -> float:
        """Rows of segments that died since the newest rotation, as a share of the rows alive."""
        with self._writing:
            before, after = (sum(view.n_live for view in some.segments) for some in (self._base, self._head))
            return (before - after) / max(1, self._head.n_live)

    def adopt(self, relocated: Relocated) -> None:
        """Go on from a version that a relocation committed."""
        with self._writing:
            head = self._head = swap_in(self._head, relocated)
            self._base = swap_in(self._base, relocated)
            self.moved_rows += relocated.move.n_rows_of_segments
            self._writing.notify_all()
        self._commit(head)

    def succeed(self, successor: Callable[[Snapshot, Rotation], Snapshot]) -> Snapshot:
        """Go on from the committed snapshot that `successor` makes of the newest one, whose rows were all flushed."""
        with self._writing:
            head = self._head = self._base = successor(self._head, self._rotation)
            self._publish(head)
            self._writing.notify_all()
            return head

    def pausing_writes(self) -> AbstractContextManager[object]:
        """While it is held, other threads wait before they write."""
        return self._writing

    def report_background_error(self, error: Exception) -> None:
        """Keep an error of the Janitor for the next caller, and wake those who wait for it."""
        with self._writing:
            self._background_error = error
            self._writing.notify_all()

    def check_open(self) -> None:
        """Raise ClosedError after `close`, and once each error that the Janitor met."""
        if self.closed:
            message = f"the collection is closed: open it again; path={self.storage.uri!r}"
            raise ClosedError(message)
        error, self._background_error = self._background_error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Finish the log and give the lock back; the Janitor must have stopped."""
        with self.maintenance.exclusive, self._writing:
            if self.closed:
                return
            self.closed = True
            self._writing.notify_all()
            try:
                self.snapshot.observations.keep(self.storage, self.snapshot)
                self._wal.close()
            finally:
                self._lock.release()

    def abandon(self) -> None:
        """Leave without a trace a collection that turned out to be another writer's."""
        self.closed = True
        self._wal.abandon()

    def _make_room(self, n_rows: int) -> None:
        self.check_open()
        while len(self._head.memtables) > FROZEN_MEMTABLES_MAX + 1:
            self._writing.wait()
            self.check_open()
        if self._head.memtables[-1].memtable.free_rows < n_rows:
            self._rotate(n_rows)

    def _rotate(self, n_rows: int) -> None:
        wal_floor = self._wal.rotate()
        # the rotation synced every operation of the head
        self._publish(self._head)
        self._rotation = self._rotated(wal_floor, self._wal.last_seqno)
        self._head = self._base = with_room(self._head, n_rows, self.spec, self.options)
        self._publish(self._head)
        self.wake_janitor()

    def _rotated(self, wal_floor: int, last_seqno: int) -> Rotation:
        return Rotation(wal_floor=wal_floor, last_seqno=last_seqno, writer_epoch=self._writer_epoch)

    def _refuse_existing(self, batch: Batch) -> None:
        for wanted, _ in find_live(self._head.views, batch.fingerprints):
            if len(wanted):
                key = batch.stored.column(self.spec.key)[int(wanted[0])].as_py()
                message = f"the key exists: upsert to replace its row; column={self.spec.key!r} key={key!r}"
                raise AlreadyExistsError(message)

    def _commit(self, head: Snapshot) -> None:
        self._wal.sync(head.seqno)
        self._publish(head)

    def _publish(self, head: Snapshot) -> None:
        with self._publishing:
            # a writer that was overtaken must not bring an older state back
            if head.generation > self.snapshot.generation:
                self.snapshot = head


def _owned(batch: Batch) -> Batch:
    """A batch whose stored columns no caller can change: Arrow arrays may be views of the caller's NumPy memory."""
    with pa.ipc.open_stream(encode_batch(batch.stored)) as stream:
        return replace(batch, stored=stream.read_next_batch())
