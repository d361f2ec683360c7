"""WAL: the file header, how an operation becomes records, and the rule that reads them back after a crash.

The header is a `FileHeader` whose detail is number u32, writer_epoch u32, first_seqno u64, salt. `format.wal_frame` has
the records.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from drift_arrow.errors import CorruptionError, InvalidArgumentError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.file_header import FileHeader, decode_file_header
from drift_arrow.format.layout import (
    HEADER_BYTES,
    MAX_FRAGMENT_BYTES,
    RECORD_ALIGNMENT,
    SALT_BYTES,
    WAL_MAGIC,
    Buffer,
    Fragment,
    RecordType,
    padding_bytes,
)
from drift_arrow.format.wal_frame import Record, RecordHeader, read_record, vouched_bytes

__all__ = ["Operation", "RecordType", "WalContents", "WalHeader", "encode_operation", "scan_wal"]

_DETAIL: Final = struct.Struct("<IIQ16s")
_MARKS: Final = frozenset({RecordType.SYNC, RecordType.CLOSE})


@dataclass(frozen=True, slots=True, kw_only=True)
class WalHeader:
    """Identity of one WAL file.

    Parameters
    ----------
    collection_uuid : UUID
        Collection that the operations belong to.
    number, writer_epoch : int
        The numbers of the file's name, each 0 up to 2**32 - 1.
    first_seqno : int
        Seqno of the first record; one above the last seqno of the WAL before.
    salt : bytes
        16 random bytes, new for every file.
    """

    collection_uuid: UUID
    number: int
    writer_epoch: int
    first_seqno: int
    salt: bytes

    def encode(self) -> bytes:
        """The 64 bytes that start the file."""
        if len(self.salt) != SALT_BYTES:
            raise InvalidArgumentError(f"a WAL salt has {SALT_BYTES} bytes; got={len(self.salt)}")
        detail = _DETAIL.pack(self.number, self.writer_epoch, self.first_seqno, self.salt)
        return FileHeader(magic=WAL_MAGIC, uuid=str(self.collection_uuid), detail=detail).encode()

    @classmethod
    def decode(cls, data: Buffer, path: str) -> WalHeader:
        """Read the header at the start of `data`.

        Raises
        ------
        CorruptionError
            The header is cut off or damaged; so may be that of a file whose creation a crash interrupted.
        UnsupportedFormatError
            A newer version wrote the file.
        """
        header = decode_file_header(data, WAL_MAGIC, path=path)
        number, writer_epoch, first_seqno, salt = _DETAIL.unpack(header.detail)
        return cls(
            collection_uuid=UUID(header.uuid),
            number=number,
            writer_epoch=writer_epoch,
            first_seqno=first_seqno,
            salt=salt,
        )


@dataclass(frozen=True, slots=True)
class Operation:
    """One atomic change, put together from its records; `seqno` is that of the last of them."""

    type: RecordType
    seqno: int
    payload: memoryview


@dataclass(frozen=True, slots=True, kw_only=True)
class WalContents:
    """What a WAL file holds.

    Parameters
    ----------
    header : WalHeader
    operations : list of Operation
        Changes in their order, without SYNC and CLOSE marks.
    valid_length : int
        Offset where the last complete operation or mark ends; nothing after it was ever acknowledged.
    last_seqno : int
        Seqno at `valid_length`; ``header.first_seqno - 1`` when the file holds no complete operation.
    is_closed : bool
        The file ends in a CLOSE mark, so that nothing is missing.
    """

    header: WalHeader
    operations: list[Operation]
    valid_length: int
    last_seqno: int
    is_closed: bool


def encode_operation(
    salt: bytes,
    first_seqno: int,
    durable_offset: int,
    type: RecordType,  # noqa: A002 - the name of the field in FORMAT.md
    payload: Buffer,
) -> tuple[list[Buffer], int]:
    """Frame one operation as records, one per 16 MiB of payload.

    Parameters
    ----------
    salt : bytes
        Salt of the file's header.
    first_seqno : int
        Seqno of the first record; one above the last record of the file.
    durable_offset : int
        Bytes of this file that are known to be synced now.
    type : RecordType
    payload : buffer
        Any size; not copied.

    Returns
    -------
    (list of buffers, int)
        Bytes to append in this order, and the seqno after the last record. Their total is a multiple of 8 bytes.
    """
    view = byte_view(payload)
    starts = range(0, len(view), MAX_FRAGMENT_BYTES) or range(1)
    buffers: list[Buffer] = []
    for number, start in enumerate(starts):
        piece = view[start : start + MAX_FRAGMENT_BYTES]
        header = RecordHeader(
            length=len(piece),
            seqno=first_seqno + number,
            durable_offset=durable_offset,
            type=type,
            fragment=_fragment(number, len(starts)),
        )
        buffers += [header.encode(salt, piece), piece, bytes(padding_bytes(len(piece), RECORD_ALIGNMENT))]
    return [buffer for buffer in buffers if len(buffer)], first_seqno + len(starts)


def scan_wal(data: Buffer, path: str) -> WalContents:
    """Read a WAL file: every operation up to the end, or up to a tail that was never acknowledged.

    Parameters
    ----------
    data : buffer
        The whole file, for instance a memory map; payloads are views into it.
    path : str
        Named in errors.

    Raises
    ------
    CorruptionError
        The header is damaged, or a record is although a later one vouches that it was synced, or intact records
        contradict each other.
    UnsupportedFormatError
        A newer version wrote the file.

    Notes
    -----
    The rule: read until the first record that does not verify, at offset o. Any intact record header after it whose
    durable offset exceeds o proves that the bytes at o were synced, hence damaged later. Otherwise they are a torn
    tail: the file ends at the last complete operation and must not be appended to.
    The last group of records of a file without a CLOSE mark has no later record to vouch for it; damage inside it
    cannot be told from a torn tail. Time is linear in the size of the file, also for hostile payloads.
    """
    view = byte_view(data)
    header = WalHeader.decode(view, path)
    operations: list[Operation] = []
    group: list[Record] = []
    valid_length, last_seqno, is_closed = HEADER_BYTES, header.first_seqno - 1, False
    end = HEADER_BYTES
    for record in _records(view, header):
        end = record.end
        _check_order(record, group, is_closed=is_closed, path=path)
        group.append(record)
        if record.header.fragment in {Fragment.FULL, Fragment.LAST}:
            kind = RecordType(record.header.type)
            if kind not in _MARKS:
                operations.append(Operation(kind, record.header.seqno, _join(group)))
            is_closed = kind is RecordType.CLOSE
            valid_length, last_seqno, group = record.end, record.header.seqno, []
    durable = vouched_bytes(view, end, header.salt)
    if durable > end:
        message = f"a record is damaged although it had been synced; durable_bytes={durable}"
        raise CorruptionError(message, path=path, offset=end)
    return WalContents(
        header=header, operations=operations, valid_length=valid_length, last_seqno=last_seqno, is_closed=is_closed
    )


def _fragment(number: int, count: int) -> Fragment:
    if count == 1:
        return Fragment.FULL
    if number == 0:
        return Fragment.FIRST
    return Fragment.LAST if number == count - 1 else Fragment.MIDDLE


def _records(view: memoryview, header: WalHeader) -> Iterator[Record]:
    """Intact records with consecutive seqnos from the start of the file."""
    offset, seqno = HEADER_BYTES, header.first_seqno
    while (record := read_record(view, offset, header.salt)) and record.header.seqno == seqno:
        yield record
        offset, seqno = record.end, seqno + 1


def _check_order(record: Record, group: list[Record], *, is_closed: bool, path: str) -> None:
    """Intact records that no writer can have put in this order are not a torn tail."""
    continues = record.header.fragment in {Fragment.MIDDLE, Fragment.LAST}
    if (
        is_closed
        or continues != bool(group)
        or record.header.durable_offset > record.start
        or record.header.type not in RecordType.__members__.values()
        or record.header.fragment not in Fragment.__members__.values()
        or (group and group[0].header.type != record.header.type)
    ):
        message = f"record contradicts those before it; seqno={record.header.seqno} type={record.header.type}"
        raise CorruptionError(message, path=path, offset=record.start)


def _join(group: list[Record]) -> memoryview:
    if len(group) == 1:
        return group[0].payload
    return memoryview(b"".join(record.payload for record in group))
