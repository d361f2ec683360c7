"""Logs: records changed, dropped, repeated and torn, under checksums that are right."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.layout import HEADER_BYTES, RECORD_HEADER_BYTES, padding_bytes
from drift_arrow.format.wal_record import RecordType, scan_wal
from tests.format.samples import wal_bytes
from tests.fuzz.bytes_mutator import mutate_bytes, mutate_number
from tests.fuzz.sealing import change_file_header, seal_file_header
from tests.fuzz.target import Target

_FIELDS = struct.Struct("<4sIQQBBH")
_CHECKSUMS = struct.Struct("<IQ")
_SALT = slice(40, 56)
_MOST_RECORDS = 1000


@dataclass(slots=True)
class _Record:
    """The fields of a header, and the payload; `is_torn` leaves its checksums wrong."""

    fields: list[int]
    payload: bytes
    is_torn: bool = False

    def seal(self, salt: bytes) -> bytes:
        header = _FIELDS.pack(b"DREC", *self.fields)
        checksums = _CHECKSUMS.pack(xxh3_64(salt, header) & 0xFFFFFFFF, xxh3_64(salt, header, self.payload))
        padding = bytes(padding_bytes(len(self.payload), 8))
        return header + (bytes(_CHECKSUMS.size) if self.is_torn else checksums) + self.payload + padding


def wal_seeds() -> list[bytes]:
    """Logs that are empty, closed, open, and of operations in several records."""
    payloads = [b"", b"x", bytes(range(100)), b"payload" * 40]
    whole = [wal_bytes([]), wal_bytes(payloads), wal_bytes(payloads, closed=True)]
    return [*whole, _fragmented(whole[1])]


def mutate_wal(data: bytes, random: Random) -> bytes:
    """One record or the file header changed, sealed; sometimes the end torn off."""
    header, records = _take_apart(data)
    if random.random() < 0.05 or len(header) < HEADER_BYTES:
        return mutate_bytes(data, random)
    if random.random() < 0.1 or not records:
        header = seal_file_header(change_file_header(header, random))
        return header + b"".join(record.seal(header[_SALT]) for record in records)
    place = random.randrange(len(records))
    record = records[place]
    match random.choice("ffffpptdrs"):
        case "f":
            field = random.randrange(len(record.fields))
            size = (4, 8, 8, 1, 1, 2)[field]
            record.fields[field] = mutate_number(record.fields[field], random, size)
            if field >= 3 and random.random() < 0.7:
                record.fields[field] %= 6
        case "p":
            record.payload = mutate_bytes(record.payload, random)
            record.fields[0] = len(record.payload)
        case "t":
            record.is_torn = True
        case "d":
            del records[place]
        case "r":
            records.insert(random.randrange(len(records) + 1), record)
        case _:
            random.shuffle(records)
    if random.random() < 0.5:
        _renumber(records)
    sealed = header + b"".join(record.seal(header[_SALT]) for record in records)
    return sealed[: random.randrange(len(sealed))] if random.random() < 0.05 else sealed


def parse_wal(data: bytes) -> None:
    """What is promised of the contents holds."""
    contents = scan_wal(data, "fuzz")
    assert HEADER_BYTES <= contents.valid_length <= len(data)
    kinds = {operation.type for operation in contents.operations}
    assert kinds <= {RecordType.ADD, RecordType.UPSERT, RecordType.DELETE}
    assert sum(len(operation.payload) for operation in contents.operations) <= len(data)


def _take_apart(data: bytes) -> tuple[bytes, list[_Record]]:
    records: list[_Record] = []
    offset = HEADER_BYTES
    while offset + RECORD_HEADER_BYTES <= len(data) and len(records) < _MOST_RECORDS:
        _, *fields = _FIELDS.unpack_from(data, offset)
        start = offset + RECORD_HEADER_BYTES
        stop = min(start + fields[0], len(data))
        records.append(_Record(fields, data[start:stop]))
        offset = stop + padding_bytes(stop, 8)
    return data[:HEADER_BYTES], records


def _renumber(records: list[_Record]) -> None:
    """Seqnos that count up from that of the first."""
    for number, record in enumerate(records):
        record.fields[1] = (records[0].fields[1] + number) & 0xFFFFFFFFFFFFFFFF


def _fragmented(data: bytes) -> bytes:
    """The same log with its first records as the fragments of one operation."""
    header, records = _take_apart(data)
    for record, fragment in zip(records, (2, 3, 4, 1), strict=True):
        record.fields[4] = fragment
    return header + b"".join(record.seal(header[_SALT]) for record in records)


WAL_TARGET = Target(name="wal", seeds=wal_seeds, mutate=mutate_wal, parse=parse_wal)
