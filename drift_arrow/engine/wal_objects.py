"""The log as objects that are written once: one per group commit, and their names are what writers contest."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.storage import create_file
from drift_arrow.engine.wal_names import SHARED_EPOCH, parse_wal_path, wal_path
from drift_arrow.errors import AlreadyExistsError, CorruptionError, FencedError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import HEADER_BYTES, RECORD_HEADER_BYTES
from drift_arrow.format.wal_frame import read_record
from drift_arrow.format.wal_record import RecordType, WalHeader, encode_operation

if TYPE_CHECKING:
    from uuid import UUID

    from drift_arrow.engine.storage import FileInfo, Storage
    from drift_arrow.format.layout import Buffer

FENCE_BYTES: Final = HEADER_BYTES + 2 * RECORD_HEADER_BYTES
"""Size of a fence, and of no other object of a log: operations are longer, and nothing else holds two marks."""

_MARKS: Final = frozenset({RecordType.SYNC, RecordType.CLOSE})


class WalObjects:
    """The next object of a log; see `WalMedium`.

    Parameters
    ----------
    storage : Storage
        Of the collection; its files are objects that appear as a whole or not at all.
    collection_uuid : UUID
        Written into every header.
    number, first_seqno : int
        Of the fence that is put here: behind it no earlier writer can put anything.

    Raises
    ------
    FencedError
        Another writer put the object of this number: read the log again.

    Notes
    -----
    All writers use epoch 0 in names, so that two of them that go on from the same object want the same name. The store
    lets one of them have it. Whoever loses has lost the log for good: all later names follow from this one.
    An object ends in a mark that vouches for every byte before it, since an object cannot have a torn tail.
    """

    ends_in_close = False

    def __init__(self, storage: Storage, collection_uuid: UUID, number: int, first_seqno: int) -> None:
        self._storage = storage
        self._collection_uuid = collection_uuid
        self.number = number
        self._begin(first_seqno)
        first_mark, next_seqno = self._mark(RecordType.SYNC, HEADER_BYTES, first_seqno)
        fence, self.next_seqno = self.seal(first_mark, next_seqno)
        self.write(fence)

    def frame(self, seqno: int, kind: RecordType, payload: Buffer) -> tuple[list[Buffer], int]:
        """See `WalMedium.frame`."""
        self._is_closed = kind is RecordType.CLOSE
        # a CLOSE stands alone in its object
        return encode_operation(self._salt, seqno, HEADER_BYTES if self._is_closed else 0, kind, payload)

    def seal(self, group: list[Buffer], next_seqno: int) -> tuple[list[Buffer], int]:
        """See `WalMedium.seal`: the group becomes an object, and what is framed from now on belongs to the next."""
        whole = [self._header, *group]
        if not self._is_closed:
            mark, next_seqno = self._mark(RecordType.SYNC, sum(len(byte_view(buffer)) for buffer in whole), next_seqno)
            whole += mark
        self._begin(next_seqno)
        return whole, next_seqno

    def write(self, group: list[Buffer]) -> None:
        """See `WalMedium.write`; raises FencedError if the name is taken."""
        path = wal_path(SHARED_EPOCH, self.number)
        try:
            create_file(self._storage, path, b"".join(byte_view(buffer) for buffer in group))
        except AlreadyExistsError as error:
            message = (
                "another writer took this collection over, and nothing was written: open it again to take it back, or "
                f"read it with read_only=True; path={self._storage.uri!r} object={path!r}"
            )
            raise FencedError(message) from error
        self.number += 1

    def vouch(self, next_seqno: int) -> int:
        """See `WalMedium.vouch`: the object has its mark already."""
        return next_seqno

    def turn(self, first_seqno: int) -> int:
        """See `WalMedium.turn`: puts an object without a record, so that the log behind a manifest is never empty."""
        number = self.number
        self._begin(first_seqno)
        self.write([self._header])
        self._begin(first_seqno)
        return number

    def release(self) -> None:
        """See `WalMedium.release`: nothing is held."""

    def _begin(self, first_seqno: int) -> None:
        self._is_closed = False
        self._salt = os.urandom(16)
        self._first_seqno = first_seqno

    def _mark(self, kind: RecordType, offset: int, seqno: int) -> tuple[list[Buffer], int]:
        return encode_operation(self._salt, seqno, offset, kind, b"")

    @property
    def _header(self) -> bytes:
        return WalHeader(
            collection_uuid=self._collection_uuid,
            number=self.number,
            writer_epoch=SHARED_EPOCH,
            first_seqno=self._first_seqno,
            salt=self._salt,
        ).encode()


def put_first_object(storage: Storage, collection_uuid: UUID) -> bool:
    """Put object 1 of a new, empty log; returns whether it is ours and not that of another creator."""
    salt = os.urandom(16)
    header = WalHeader(
        collection_uuid=collection_uuid, number=1, writer_epoch=SHARED_EPOCH, first_seqno=1, salt=salt
    ).encode()
    close, _ = encode_operation(salt, 1, HEADER_BYTES, RecordType.CLOSE, b"")
    try:
        create_file(storage, wal_path(SHARED_EPOCH, 1), header + b"".join(map(byte_view, close)))
    except AlreadyExistsError:
        return False
    return True


def is_fence(file: FileInfo) -> bool:
    """Whether a file of a log is the first object of a writer.

    Notes
    -----
    Fences are never deleted. The writer that was fenced may sleep for days, and when it wakes up its next object must
    find its name taken: that name is the fence's, whatever became of the objects around it.
    """
    parsed = parse_wal_path(file.path)
    return parsed is not None and parsed[0] == SHARED_EPOCH and file.size_bytes == FENCE_BYTES


def check_whole(data: memoryview, header: WalHeader, path: str) -> None:
    """Refuse an object of a log that does not end in the mark that vouches for it; raises CorruptionError."""
    if header.writer_epoch != SHARED_EPOCH or data.nbytes == HEADER_BYTES:
        return
    offset = data.nbytes - RECORD_HEADER_BYTES
    mark = read_record(data, max(offset, 0), header.salt)
    if mark is None or mark.header.type not in _MARKS or mark.header.durable_offset != offset:
        raise CorruptionError("an object of the log is damaged or cut off", path=path, offset=max(offset, 0))
