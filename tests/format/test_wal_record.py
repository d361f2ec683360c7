import mmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError, InvalidArgumentError, UnsupportedFormatError
from drift_arrow.format import wal_frame, wal_record
from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.layout import HEADER_BYTES, MAX_RECORD_BYTES, RECORD_HEADER_BYTES, RECORD_MAGIC, Fragment
from drift_arrow.format.wal_frame import RecordHeader
from drift_arrow.format.wal_record import RecordType, WalHeader, encode_operation, scan_wal
from tests.format.samples import DAMAGE, SALT, flipped, outcome, wal_bytes, wal_header

PAYLOADS = [b"first", b"", b"third " * 20, b"12345678"]


def payloads(contents):
    return [bytes(operation.payload) for operation in contents.operations]


def record(seqno, fragment=Fragment.FULL, kind=RecordType.ADD, durable_offset=0, payload=b"12345678"):
    header = RecordHeader(length=len(payload), seqno=seqno, durable_offset=durable_offset, type=kind, fragment=fragment)
    return header.encode(SALT, memoryview(payload)) + payload


@pytest.fixture
def small_fragments(monkeypatch):
    monkeypatch.setattr(wal_record, "MAX_FRAGMENT_BYTES", 16)


def test_a_header_comes_back():
    assert WalHeader.decode(wal_header().encode(), "p") == wal_header()


def test_a_header_wants_sixteen_bytes_of_salt():
    with pytest.raises(InvalidArgumentError, match="16 bytes"):
        wal_header(salt=b"short").encode()


def test_operations_come_back_in_their_order():
    contents = scan_wal(wal_bytes(PAYLOADS), "p")
    assert payloads(contents) == PAYLOADS
    assert [operation.type for operation in contents.operations] == [RecordType.ADD] * 4
    assert [operation.seqno for operation in contents.operations] == [10, 11, 12, 13]
    assert (contents.valid_length, contents.last_seqno) == (len(wal_bytes(PAYLOADS)), 13)


def test_a_file_without_records_holds_nothing():
    contents = scan_wal(wal_bytes([]), "p")
    assert (contents.operations, contents.valid_length, contents.last_seqno) == ([], HEADER_BYTES, 9)


def test_a_close_mark_is_told():
    assert scan_wal(wal_bytes(PAYLOADS, closed=True), "p").is_closed
    assert not scan_wal(wal_bytes(PAYLOADS), "p").is_closed


def test_marks_are_no_operations_but_have_seqnos():
    data = wal_bytes([b"x"]) + record(11, kind=RecordType.SYNC)
    contents = scan_wal(data, "p")
    assert (payloads(contents), contents.last_seqno) == ([b"x"], 11)


def test_records_start_on_multiples_of_eight():
    for length in range(20):
        buffers, seqno = encode_operation(SALT, 1, 0, RecordType.ADD, bytes(length))
        assert sum(map(len, buffers)) % 8 == 0
        assert seqno == 2


def test_payloads_point_into_a_memory_map_and_keep_it_alive(tmp_path):
    (tmp_path / "w").write_bytes(wal_bytes(PAYLOADS))
    with (tmp_path / "w").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    contents = scan_wal(memoryview(mapped), "p")
    with pytest.raises(BufferError):
        mapped.close()
    del mapped
    assert payloads(contents) == PAYLOADS


@pytest.mark.usefixtures("small_fragments")
@pytest.mark.parametrize("length", [0, 1, 16, 17, 32, 33, 100])
def test_a_long_operation_becomes_fragments_and_comes_back_as_one(length):
    payload = bytes(range(length))
    contents = scan_wal(wal_bytes([b"a", payload, b"b"]), "p")
    assert payloads(contents) == [b"a", payload, b"b"]
    assert contents.operations[1].seqno == 10 + max(-(-length // 16), 1)


@pytest.mark.usefixtures("small_fragments")
def test_an_unfinished_group_of_fragments_is_dropped():
    data = wal_bytes([b"kept", bytes(40)])
    complete = len(wal_bytes([b"kept"]))
    for stop in range(complete, len(data), 8):
        contents = scan_wal(data[:stop], "p")
        assert payloads(contents) == [b"kept"]
        assert (contents.valid_length, contents.last_seqno) == (complete, 10)


@pytest.mark.parametrize("payload_bytes", [0, 3, 8])
def test_every_flipped_byte_of_a_closed_log_is_reported_or_harms_the_close_mark_only(payload_bytes):
    data = wal_bytes([b"x" * payload_bytes] * 3, closed=True)
    intact = payloads(scan_wal(data, "p"))
    for position in range(len(data)):
        contents, error = outcome(scan_wal, flipped(data, position), "p")
        if error is not None:
            assert error.path == "p"
            assert error.offset <= position
            continue
        assert position >= len(data) - RECORD_HEADER_BYTES
        assert not contents.is_closed
        assert payloads(contents) == intact


def test_every_flipped_byte_of_an_open_log_is_reported_unless_it_is_in_the_last_record():
    data = wal_bytes(PAYLOADS)
    last = len(wal_bytes(PAYLOADS[:-1]))
    for position in range(len(data)):
        if position < last:
            with pytest.raises(DAMAGE):
                scan_wal(flipped(data, position), "p")
        else:
            assert payloads(scan_wal(flipped(data, position), "p")) == PAYLOADS[:-1]


def test_every_truncation_leaves_a_prefix_or_is_reported():
    data = wal_bytes(PAYLOADS)
    for length in range(len(data)):
        if length < HEADER_BYTES:
            with pytest.raises(CorruptionError, match="cut off"):
                scan_wal(data[:length], "p")
            continue
        contents = scan_wal(data[:length], "p")
        assert payloads(contents) == PAYLOADS[: len(contents.operations)]
        assert contents.valid_length <= length


def test_zeros_after_the_last_record_are_the_end():
    contents = scan_wal(wal_bytes(PAYLOADS) + bytes(4096), "p")
    assert contents.valid_length == len(wal_bytes(PAYLOADS))


def test_a_record_of_another_file_is_no_record():
    header = RecordHeader(length=0, seqno=11, durable_offset=1 << 30, type=1, fragment=1)
    foreign = header.encode(bytes(16), memoryview(b""))
    assert payloads(scan_wal(wal_bytes([b"kept"]) + foreign, "p")) == [b"kept"]


def test_a_record_inside_a_payload_is_no_record():
    header = RecordHeader(length=0, seqno=11, durable_offset=1 << 30, type=1, fragment=1)
    forged = header.encode(bytes(16), memoryview(b""))
    data = wal_bytes([b"kept", forged + b"the end that is torn off"])
    assert payloads(scan_wal(data[:-16], "p")) == [b"kept"]


def test_damage_is_reported_although_the_record_that_vouches_lost_its_payload():
    data = bytearray(wal_bytes([b"first", b"second", b"third"]))
    data[HEADER_BYTES + RECORD_HEADER_BYTES] ^= 1
    data[-1] ^= 1
    with pytest.raises(CorruptionError, match="had been synced") as caught:
        scan_wal(data, "p")
    assert caught.value.offset == HEADER_BYTES


def test_a_length_past_the_end_of_the_file_is_never_followed():
    header = RecordHeader(length=MAX_RECORD_BYTES, seqno=10, durable_offset=0, type=1, fragment=1)
    data = wal_header().encode() + header.encode(SALT, memoryview(b"")) + bytes(64)
    assert scan_wal(data, "p").operations == []


def test_a_length_past_the_limit_is_never_followed(monkeypatch):
    monkeypatch.setattr(wal_frame, "MAX_RECORD_BYTES", 7)
    assert payloads(scan_wal(wal_bytes([b"1234567", b"12345678"]), "p")) == [b"1234567"]


@pytest.mark.parametrize("position", [0, 3, 26, 27])
def test_right_checksums_do_not_excuse_wrong_magic_or_reserved_bytes(position):
    fields = flipped(record(10, payload=b"")[:28], position)
    checksum = xxh3_64(SALT, fields)
    forged = fields + (checksum & 0xFFFFFFFF).to_bytes(4, "little") + checksum.to_bytes(8, "little")
    assert scan_wal(wal_header().encode() + forged, "p").operations == []


@pytest.mark.parametrize(
    "records",
    [
        [record(10, Fragment.LAST)],
        [record(10, Fragment.FIRST), record(11, Fragment.FULL)],
        [record(10, Fragment.FIRST), record(11, Fragment.LAST, RecordType.DELETE)],
        [record(10, kind=RecordType.CLOSE), record(11)],
        [record(10, durable_offset=1000)],
        [record(10, kind=99)],
        [record(10, fragment=9)],
    ],
    ids=["no first", "no last", "two types", "after close", "vouches for the future", "no type", "no fragment"],
)
def test_intact_records_that_contradict_each_other_are_damage(records):
    with pytest.raises(CorruptionError, match="contradicts"):
        scan_wal(wal_header().encode() + b"".join(records), "p")


def test_a_record_out_of_its_place_ends_the_log():
    data = wal_header().encode() + record(10) + record(12)
    assert scan_wal(data, "p").last_seqno == 10


def test_a_newer_log_asks_for_an_upgrade(monkeypatch):
    monkeypatch.setattr("drift_arrow.format.file_header.FORMAT_VERSION", 2)
    data = wal_header().encode()
    monkeypatch.undo()
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        scan_wal(data, "p")


def test_a_torn_tail_full_of_forged_headers_costs_no_more_than_their_own_bytes(monkeypatch):
    hashed = []

    def counting(*parts):
        hashed.append(sum(map(len, parts)))
        return xxh3_64(*parts)

    forged = (RECORD_MAGIC + (1 << 16).to_bytes(4, "little") + bytes(32)) * 2000
    data = wal_bytes([b"kept"]) + b"\xff" * 8 + forged
    monkeypatch.setattr(wal_frame, "xxh3_64", counting)
    assert payloads(scan_wal(data, "p")) == [b"kept"]
    assert len(hashed) >= 2000
    assert sum(hashed) < 2 * len(data)


@given(st.lists(st.binary(max_size=70), max_size=8), st.integers(1, 24), st.booleans())
def test_any_operations_come_back(operations, fragment_bytes, closed):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wal_record, "MAX_FRAGMENT_BYTES", fragment_bytes)
        contents = scan_wal(wal_bytes(operations, closed=closed), "p")
    assert payloads(contents) == operations
    assert contents.is_closed == closed


@given(st.binary(max_size=300))
def test_any_bytes_after_the_header_are_read_or_refused(garbage):
    contents, error = outcome(scan_wal, wal_header().encode() + garbage, "p")
    assert error is not None or contents.operations == []
