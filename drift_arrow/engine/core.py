"""The open collection that all handles of a process share: order of writes, durability, publication."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from drift_arrow.engine.apply import apply_delete, apply_insert, with_room
from drift_arrow.engine.flush import flush
from drift_arrow.engine.gc import collect_garbage
from drift_arrow.engine.graph import wants_graph
from drift_arrow.engine.heal.relocation import Rotation, relocate, rotation_of, swap_in
from drift_arrow.engine.ingest import Batch, make_batch
from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.row_space import RowSpace, take_found
from drift_arrow.engine.snapshot import find_live
from drift_arrow.engine.stats import verify
from drift_arrow.engine.wal import Wal
from drift_arrow.errors import AlreadyExistsError, ClosedError
from drift_arrow.format.batch import encode_batch
from drift_arrow.format.wal_record import RecordType
from drift_arrow.options import FROZEN_MEMTABLES_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from drift_arrow.engine.heal.relocation import Calibrate, Move, Relocated
    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.recovery import Recovered
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.stats import VerifyReport
    from drift_arrow.engine.storage import Lock, Storage

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
        self.wake_janitor: Callable[[], None] = lambda: None
        self.churned_rows = self.moved_rows = 0
        self._unseen_deletions = 0
        self._head = recovered.snapshot
        self._lock = lock
        self._writing = threading.Condition()
        self._publishing = threading.Lock()
        self._maintaining = threading.Lock()
        self._background_error: Exception | None = None
        self._closed = False
        self._writer_epoch = recovered.writer_epoch + 1
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
        self.snapshot = self._head = with_room(self._head, 1, self.spec, self.options)
        self.flush_frozen()

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
                self._refuse_existing(batch)
            seqno = self._wal.append(RecordType.UPSERT if is_upsert else RecordType.ADD, payload)
            with self._wal.poisoned_by_failure():
                head = self._head = apply_insert(self._head, batch, seqno)
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
        self.check_open()
        with self._maintaining:
            return verify(self.storage, self.snapshot.manifest.version)

    def freeze(self) -> None:
        """Start a new memtable and log file, so that all that was logged before can be flushed; nothing if it was."""
        with self._writing:
            self.check_open()
            if self._head.seqno > self._rotation.last_seqno:
                self._rotate(1)

    def flush_frozen(self) -> bool:
        """Flush the frozen memtables and delete what is no longer named; returns whether there were any."""
        with self._maintaining:
            with self._writing:
                base, rotation = self.snapshot, self._rotation
            # once closed, another process may hold the lock
            if self._closed or len(base.memtables) == 1:
                return False
            # nothing can be published on top of a failed log: each attempt would leave one more segment behind
            self._wal.check_usable()
            self._swap_in(flush(self.storage, base, rotation, self.spec, self.options))
            return True

    def move(self, choose: Callable[[Snapshot], Move | None], calibrate: Calibrate) -> None:
        """Move rows between segments, and delete what is no longer named; flushes wait meanwhile.

        Parameters
        ----------
        choose : callable
            Gives the move of rows of the newest durable snapshot, or None if there is nothing to move.
        calibrate : callable
            As `relocate` takes it.

        Raises
        ------
        CommitConflictError, PoisonedError, StorageError
            Nothing moved.
        """
        with self._maintaining:
            # once closed, another process may hold the lock
            if self._closed:
                return
            base = self.snapshot
            move = choose(base)
            if move is None:
                return
            self._wal.check_usable()
            rotation = rotation_of(base.manifest)
            self._swap_in(relocate(self.storage, base, move, rotation=rotation, calibrate=calibrate))

    def collect_garbage(self) -> None:
        """Delete what no retained version names, such as the files that a crash of an earlier writer left."""
        with self._maintaining:
            if not self._closed:
                collect_garbage(self.storage, self.options.retained_versions)

    def report_background_error(self, error: Exception) -> None:
        """Keep an error of the Janitor for the next caller, and wake those who wait for it."""
        with self._writing:
            self._background_error = error
            self._writing.notify_all()

    def check_open(self) -> None:
        """Raise ClosedError after `close`, and once each error that the Janitor met."""
        if self._closed:
            message = f"the collection is closed: open it again; path={self.storage.uri!r}"
            raise ClosedError(message)
        error, self._background_error = self._background_error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Finish the log and give the lock back; the Janitor must have stopped."""
        with self._maintaining, self._writing:
            if self._closed:
                return
            self._closed = True
            self._writing.notify_all()
            try:
                self._wal.close()
            finally:
                self._lock.release()

    def _swap_in(self, relocated: Relocated) -> None:
        with self._writing:
            head = self._head = swap_in(self._head, relocated)
            self.moved_rows += relocated.move.n_rows_of_segments
            self._writing.notify_all()
        self._commit(head)
        collect_garbage(self.storage, self.options.retained_versions)

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
        self._head = with_room(self._head, n_rows, self.spec, self.options)
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
