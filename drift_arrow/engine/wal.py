"""Write-ahead log: framing in seqno order, group commit, rotation. Acknowledged means durable."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Protocol

from drift_arrow.engine.wal_file import WalFile
from drift_arrow.engine.wal_names import WAL_DIRECTORY, parse_wal_path, wal_path
from drift_arrow.engine.wal_objects import WalObjects
from drift_arrow.errors import ClosedError, FencedError, PoisonedError, StorageError
from drift_arrow.format.wal_record import RecordType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.layout import Buffer

__all__ = ["WAL_DIRECTORY", "Wal", "parse_wal_path", "wal_path"]


class WalMedium(Protocol):
    """What the bytes of a log go into: a file that grows, or one object after the other."""

    ends_in_close: bool
    """Whether `turn` needs a CLOSE record before it."""

    def frame(self, seqno: int, kind: RecordType, payload: Buffer) -> tuple[list[Buffer], int]:
        """The records of one operation, and the seqno behind them."""

    def seal(self, group: list[Buffer], next_seqno: int) -> tuple[list[Buffer], int]:
        """All that is to be written of a group, and the seqno behind it; later records belong to the next group."""

    def write(self, group: list[Buffer]) -> None:
        """Make a sealed group durable; raises StorageError, after which the medium must not be used."""

    def vouch(self, next_seqno: int) -> int:
        """Say that the last group is durable, where that needs a record; returns the seqno behind it."""

    def turn(self, first_seqno: int) -> int:
        """Begin the next file; returns its number."""

    def release(self) -> None:
        """Let go of the file."""


class Wal:
    """The log that one writer appends to, one file at a time.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    collection_uuid : UUID
        Written into every file header, so that a file of another collection is refused.
    writer_epoch : int
        Larger than that of every earlier writer.
    number : int
        Of the first file to create; files are numbered without gaps.
    first_seqno : int
        Seqno of the first record.

    Notes
    -----
    `append` frames in memory and must be called in the order in which operations apply: the caller holds the
    collection's write lock. `sync` may be called by many threads at once: the first becomes the leader and writes and
    syncs for all that wait (group commit), so n concurrent writers pay for one fdatasync.
    A failed write or sync poisons the log: after a failed fsync the kernel may have dropped the pages, and a second
    sync would report success for lost bytes (Rebello et al., USENIX ATC 2020).
    """

    def __init__(
        self, storage: Storage, collection_uuid: UUID, writer_epoch: int, number: int, first_seqno: int
    ) -> None:
        self._changed = threading.Condition()
        self._next_seqno = first_seqno
        self._durable_seqno = first_seqno - 1
        self._pending: list[Buffer] = []
        self._leading = False
        self._finishing = False
        self._poison: StorageError | None = None
        self._closed = False
        self._medium: WalMedium
        if storage.appends:
            self._medium = WalFile(storage, collection_uuid, writer_epoch, number, first_seqno)
            return
        objects = WalObjects(storage, collection_uuid, number, first_seqno)
        # the fence has records of its own
        self._next_seqno = objects.next_seqno
        self._durable_seqno = self._next_seqno - 1
        self._medium = objects

    @property
    def last_seqno(self) -> int:
        """Seqno of the newest record, durable or not."""
        return self._next_seqno - 1

    def append(self, kind: RecordType, payload: Buffer) -> int:
        """Queue one operation; returns the seqno to `sync` to. Raises PoisonedError or ClosedError."""
        with self._changed:
            self._check_usable()
            return self._frame(kind, payload)

    def sync(self, seqno: int) -> None:
        """Return when all records up to `seqno` survive power loss; raises PoisonedError if they may not."""
        with self._changed:
            while self._durable_seqno < seqno:
                self._check_usable()
                if not self._leading:
                    self._leading = True
                    break
                self._changed.wait()
            else:
                return
            group, self._next_seqno = self._medium.seal(self._pending, self._next_seqno)
            self._pending = []
            last_seqno = self._next_seqno - 1
        try:
            self._medium.write(group)
        except BaseException as error:
            self._fail(error)
            if isinstance(error, StorageError):
                self._check_usable()
            raise
        self._lead_out(last_seqno)

    def rotate(self) -> int:
        """Finish this file durably and go on in the next; returns the number of the new file.

        Notes
        -----
        The caller holds the collection's write lock.
        A finished file ends in a synced CLOSE record, so recovery can tell "ended here" from "lost its end".
        """
        try:
            if self._medium.ends_in_close:
                self._finish_file()
            else:
                self.sync(self.last_seqno)
            with self._changed:
                self._check_usable()
                return self._medium.turn(self._next_seqno)
        except BaseException as error:
            # the old file may end in CLOSE, and nothing may follow that
            self._fail(error)
            raise

    def close(self) -> None:
        """Finish the file with a CLOSE record; a poisoned log is only released."""
        with self._changed:
            if self._closed:
                return
        try:
            if self._poison is None:
                self._finish_file()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Release the file as it is, as a crash would."""
        self._closed = True
        self._medium.release()

    @contextlib.contextmanager
    def poisoned_by_failure(self) -> Iterator[None]:
        """Apply what was appended; if that fails, memory and log differ, and only a recovery brings them together."""
        try:
            yield
        except BaseException as error:
            self._fail(error)
            raise

    def check_usable(self) -> None:
        """Raise PoisonedError if a write or sync failed, ClosedError after `close`."""
        with self._changed:
            self._check_usable()

    def _finish_file(self) -> None:
        with self._changed:
            self._check_usable()
            self._finishing = True
        # whoever sees CLOSE builds on what is before it, and CLOSE may be seen before it is durable itself
        self.sync(self.last_seqno)
        with self._changed:
            seqno = self._frame(RecordType.CLOSE, b"")
        self.sync(seqno)
        self._finishing = False
        self._medium.release()

    def _frame(self, kind: RecordType, payload: Buffer) -> int:
        buffers, self._next_seqno = self._medium.frame(self._next_seqno, kind, payload)
        self._pending.extend(buffers)
        return self._next_seqno - 1

    def _lead_out(self, last_seqno: int) -> None:
        with self._changed:
            self._durable_seqno = last_seqno
            try:
                if not self._pending and not self._finishing:
                    self._next_seqno = self._medium.vouch(self._next_seqno)
            except BaseException as error:
                self._fail(error)
                # the group itself is durable, and only what comes next is refused
                if not isinstance(error, StorageError):
                    raise
            self._leading = False
            self._changed.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            if self._poison is None:
                # an interrupt between write and sync leaves unknown bytes too, and followers must not wait for ever
                interrupted = StorageError(f"the log was interrupted by {type(error).__name__}")
                self._poison = error if isinstance(error, StorageError) else interrupted
            self._leading = False
            self._changed.notify_all()

    def _check_usable(self) -> None:
        if self._closed:
            message = "the log is closed: open the collection again"
            raise ClosedError(message)
        if isinstance(self._poison, FencedError):
            raise FencedError(str(self._poison)) from self._poison
        if self._poison is not None:
            message = (
                f"the log failed and acknowledges nothing more: reopen the collection to recover; cause={self._poison}"
            )
            raise PoisonedError(message) from self._poison
