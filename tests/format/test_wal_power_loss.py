"""The recovery rule against a disk that keeps, zeroes, tears or drops every unsynced write, and against bit rot.

Method: the model of Pillai et al., OSDI 2014 (ALICE): synced bytes stay, unsynced ones may be anything. The oracle
knows what was written, what was acknowledged, and which intact record vouches for which bytes.
"""

import random

import pytest

from drift_arrow.format import wal_record
from drift_arrow.format.layout import RECORD_HEADER_BYTES, RECORD_MAGIC
from drift_arrow.format.wal_record import RecordType, encode_operation, scan_wal
from tests.format.samples import outcome, wal_header

CASES = pytest.mark.parametrize("cases", [3000, pytest.param(200_000, marks=pytest.mark.slow)])
SECTOR_BYTES = 512


class Log:
    """One life of a writer: operations in groups, some synced, with a SYNC mark after each synced group."""

    def __init__(self, rng, *, close):
        self.rng = rng
        self.header = wal_header(salt=rng.randbytes(16), first_seqno=rng.randint(1, 1000))
        self.seqno = self.header.first_seqno
        self.durable = bytearray(self.header.encode())
        self.pending = []  # unsynced writes
        self.written = []  # (type, payload) of every operation, acknowledged or not
        self.acked = 0
        self.vouchers = []  # (start, end of its header, durable_offset) of every record
        for _ in range(rng.randint(1, 6)):
            for _ in range(rng.randint(1, 4)):
                kind = rng.choice((RecordType.ADD, RecordType.UPSERT, RecordType.DELETE))
                self.append(kind, rng.randbytes(rng.choice((0, 8, 13, 200, 1500))))
            if rng.random() < 0.75:
                self.sync()
                self.append(RecordType.SYNC, b"")
        if close:
            # first, so that the mark vouches for everything before it
            self.sync()
            self.append(RecordType.CLOSE, b"")
            self.sync()

    @property
    def length(self):
        return len(self.durable) + sum(map(len, self.pending))

    def append(self, kind, payload):
        durable_offset = len(self.durable)
        first, start = self.seqno, self.length
        buffers, self.seqno = encode_operation(self.header.salt, first, durable_offset, kind, payload)
        for buffer in map(bytes, buffers):
            # the first buffer of a record is its header
            if buffer.startswith(RECORD_MAGIC) and len(buffer) == RECORD_HEADER_BYTES:
                self.vouchers.append((start, start + len(buffer), durable_offset))
            start += len(buffer)
        self.pending.append(b"".join(map(bytes, buffers)))
        if kind not in (RecordType.SYNC, RecordType.CLOSE):
            self.written.append((kind, payload))

    def sync(self):
        self.durable += b"".join(self.pending)
        self.pending = []
        self.acked = len(self.written)

    def crash(self):
        """What the disk holds afterwards."""
        image = bytearray(self.durable)
        for write in self.pending:
            image += self._survived(write, len(image))
        if self.rng.random() < 0.3:
            del image[self.rng.randint(len(self.durable), len(image)) :]
        return image

    def _survived(self, write, offset):
        fate = self.rng.choice(("kept", "zeroed", "torn"))
        if fate == "kept":
            return write
        if fate == "zeroed":
            return bytes(len(write))
        torn = bytearray(write)
        for sector in range(offset - offset % SECTOR_BYTES, offset + len(write), SECTOR_BYTES):
            start, stop = max(sector - offset, 0), min(sector + SECTOR_BYTES - offset, len(write))
            if self.rng.random() < 0.5:
                torn[start:stop] = bytes(stop - start)
        return bytes(torn)


def replayed(contents):
    return [(operation.type, bytes(operation.payload)) for operation in contents.operations]


@pytest.fixture(autouse=True)
def fragments(monkeypatch):
    # so that the longest payloads become groups of records
    monkeypatch.setattr(wal_record, "MAX_FRAGMENT_BYTES", 600)


@CASES
def test_a_power_loss_loses_nothing_acknowledged_invents_nothing_and_is_no_corruption(cases):
    rng = random.Random(11)
    unacknowledged = 0
    for _ in range(cases):
        log = Log(rng, close=False)
        found = replayed(scan_wal(log.crash(), "p"))
        assert len(found) >= log.acked
        assert found == log.written[: len(found)]
        unacknowledged += len(log.written) - len(found)
    # the disk did lose something, or this test shows nothing
    assert unacknowledged > cases // 10


@CASES
def test_a_second_crash_while_reading_changes_nothing(cases):
    rng = random.Random(12)
    for _ in range(cases // 10):
        log = Log(rng, close=False)
        image = log.crash()
        first = scan_wal(image, "p")
        again = scan_wal(image[: first.valid_length], "p")
        assert replayed(again) == replayed(first)
        assert again.valid_length == first.valid_length


@CASES
def test_a_rotten_bit_in_synced_bytes_is_reported_whenever_a_surviving_record_vouches_for_it(cases):
    rng = random.Random(13)
    reported = 0
    for _ in range(cases):
        log = Log(rng, close=False)
        image = log.crash()
        position = rng.randrange(len(log.durable))
        image[position] ^= 1 << rng.randrange(8)
        survivors = [
            durable_offset
            for start, stop, durable_offset in log.vouchers
            if position < start and stop <= len(log.durable)
        ]
        contents, error = outcome(scan_wal, image, "p")
        if error is not None:
            assert error.offset <= position
            reported += 1
            continue
        found = replayed(contents)
        assert max(survivors, default=0) <= position
        assert found == log.written[: len(found)]
    assert reported > cases // 2


@CASES
def test_a_rotten_bit_in_a_closed_log_is_always_reported_unless_it_hits_the_close_mark(cases):
    rng = random.Random(14)
    for _ in range(cases):
        log = Log(rng, close=True)
        image = bytearray(log.durable)
        position = rng.randrange(len(image))
        image[position] ^= 1 << rng.randrange(8)
        contents, error = outcome(scan_wal, image, "p")
        if error is not None:
            continue
        assert position >= len(image) - RECORD_HEADER_BYTES
        assert replayed(contents) == log.written
        assert not contents.is_closed
