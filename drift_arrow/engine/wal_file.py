"""The log as files that grow: one open at a time, synced after each group, ended by a CLOSE record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from drift_arrow.engine.wal_names import wal_path
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.wal_record import RecordType, WalHeader, encode_operation

if TYPE_CHECKING:
    from uuid import UUID

    from drift_arrow.engine.storage import Log, Storage
    from drift_arrow.format.layout import Buffer


class WalFile:
    """The newest file of a log; see `WalMedium`.

    Parameters
    ----------
    storage : Storage
        Of the collection; its files can grow.
    collection_uuid : UUID
        Written into every header.
    writer_epoch, number, first_seqno : int
        Of the first file, which is created here.
    """

    ends_in_close = True

    def __init__(
        self, storage: Storage, collection_uuid: UUID, writer_epoch: int, number: int, first_seqno: int
    ) -> None:
        self._storage = storage
        self._collection_uuid = collection_uuid
        self._writer_epoch = writer_epoch
        self.number = number
        self._salt, self._log, self._durable_offset = self._open(number, first_seqno)
        self._written_offset = self._durable_offset

    def frame(self, seqno: int, kind: RecordType, payload: Buffer) -> tuple[list[Buffer], int]:
        """See `WalMedium.frame`."""
        return encode_operation(self._salt, seqno, self._durable_offset, kind, payload)

    def seal(self, group: list[Buffer], next_seqno: int) -> tuple[list[Buffer], int]:
        """See `WalMedium.seal`: a file goes on behind the group."""
        return group, next_seqno

    def write(self, group: list[Buffer]) -> None:
        """See `WalMedium.write`."""
        self._append(group)
        self._log.sync()
        self._durable_offset = self._written_offset

    def vouch(self, next_seqno: int) -> int:
        """Write a SYNC record, so that later damage to the group just synced is told from a torn tail."""
        mark, next_seqno = self.frame(next_seqno, RecordType.SYNC, b"")
        self._append(mark)
        return next_seqno

    def turn(self, first_seqno: int) -> int:
        """See `WalMedium.turn`; the file before ends in CLOSE."""
        self._salt, self._log, self._durable_offset = self._open(self.number + 1, first_seqno)
        self._written_offset = self._durable_offset
        self.number += 1
        return self.number

    def release(self) -> None:
        """See `WalMedium.release`."""
        self._log.close()

    def _append(self, group: list[Buffer]) -> None:
        self._log.append(group)
        self._written_offset += sum(len(byte_view(buffer)) for buffer in group)

    def _open(self, number: int, first_seqno: int) -> tuple[bytes, Log, int]:
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
