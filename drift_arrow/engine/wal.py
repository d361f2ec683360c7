"""Write-ahead log: framing in seqno order, group commit, rotation. Acknowledged means durable."""

from __future__ import annotations

import os
import re
import threading
from typing import TYPE_CHECKING, Final

from drift_arrow.errors import ClosedError, PoisonedError, StorageError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.wal_record import RecordType, WalHeader, encode_operation

if TYPE_CHECKING:
    from uuid import UUID

    from drift_arrow.engine.storage import Log, Storage
    from drift_arrow.format.layout import Buffer

WAL_DIRECTORY: Final = "wal"
_NAME: Final = re.compile(r"^wal/([0-9]{10})-([0-9]{10})\.wal$")


def wal_path(writer_epoch: int, number: int) -> str:
    """Path of one WAL file, relative to its collection."""
    return f"{WAL_DIRECTORY}/{writer_epoch:010d}-{number:010d}.wal"


def parse_wal_path(path: str) -> tuple[int, int] | None:
    """Writer epoch and number of a WAL file, or None for any other file."""
    match = _NAME.match(path)
    return (int(match[1]), int(match[2])) if match else None


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
        self._storage = storage
        self._collection_uuid = collection_uuid
        self._writer_epoch = writer_epoch
        self._changed = threading.Condition()
        self._next_seqno = first_seqno
        self._durable_seqno = first_seqno - 1
        self._pending: list[Buffer] = []
        self._leading = False
        self._finishing = False
        self._poison: StorageError | None = None
        self._closed = False
        self.number = number
        self._salt, self._log, self._durable_offset = self._open_file(number, first_seqno)
        self._written_offset = self._durable_offset

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
            group, self._pending = self._pending, []
            last_seqno = self._next_seqno - 1
        try:
            self._write(group)
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
        The finished file ends in a synced CLOSE record, so recovery can tell "ended here" from "lost its end".
        """
        try:
            self._finish_file()
            with self._changed:
                self._salt, self._log, self._durable_offset = self._open_file(self.number + 1, self._next_seqno)
                self._written_offset = self._durable_offset
                self.number += 1
                return self.number
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
        self._log.close()

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
        self._log.close()

    def _open_file(self, number: int, first_seqno: int) -> tuple[bytes, Log, int]:
        salt = os.urandom(16)
        header = WalHeader(
            collection_uuid=self._collection_uuid,
            number=number,
            writer_epoch=self._writer_epoch,
            first_seqno=first_seqno,
            salt=salt,
        ).encode()
        log = self._storage.open_log(wal_path(self._writer_epoch, number))
        try:
            log.append([header])
            log.sync()
        except BaseException:
            log.close()
            raise
        return salt, log, len(header)

    def _frame(self, kind: RecordType, payload: Buffer) -> int:
        buffers, self._next_seqno = encode_operation(self._salt, self._next_seqno, self._durable_offset, kind, payload)
        self._pending.extend(buffers)
        return self._next_seqno - 1

    def _write(self, group: list[Buffer]) -> None:
        self._append(group)
        self._log.sync()
        self._durable_offset = self._written_offset

    def _append(self, group: list[Buffer]) -> None:
        self._log.append(group)
        self._written_offset += sum(len(byte_view(buffer)) for buffer in group)

    def _lead_out(self, last_seqno: int) -> None:
        with self._changed:
            self._durable_seqno = last_seqno
            try:
                self._vouch()
            except BaseException as error:
                self._fail(error)
                # the group itself is durable, and only what comes next is refused
                if not isinstance(error, StorageError):
                    raise
            self._leading = False
            self._changed.notify_all()

    def _vouch(self) -> None:
        """Write a SYNC record, so that later damage to the group just synced is told from a torn tail."""
        if not self._pending and not self._finishing:
            self._frame(RecordType.SYNC, b"")
            mark, self._pending = self._pending, []
            self._append(mark)

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            if self._poison is None:
                # an interrupt between write and sync leaves unknown bytes too, and followers must not wait for ever
                interrupted = StorageError("interrupted while writing the log")
                self._poison = error if isinstance(error, StorageError) else interrupted
            self._leading = False
            self._changed.notify_all()

    def _check_usable(self) -> None:
        if self._closed:
            message = "the log is closed: open the collection again"
            raise ClosedError(message)
        if self._poison is not None:
            message = (
                f"the log failed and acknowledges nothing more: reopen the collection to recover; cause={self._poison}"
            )
            raise PoisonedError(message) from self._poison
