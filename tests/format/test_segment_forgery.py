"""Segments whose checksums are right and whose contents are not: nothing in them is trusted beyond its checks."""

import base64
import struct
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format import segment_extent
from drift_arrow.format.block import decode_block_header, encode_block, plain
from drift_arrow.format.block_index import INDEX_DTYPE
from drift_arrow.format.canonical_json import dump_json, load_json
from drift_arrow.format.checksum import xxh3_64, xxh3_128
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, BlockType
from drift_arrow.format.schema import encode_schema
from drift_arrow.format.segment_footer import SegmentTail
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.format.segment_sink import SegmentSink
from drift_arrow.format.segment_tables import SegmentTables
from drift_arrow.format.zone_table import ZONE_DTYPE
from tests.format.samples import UUID_1, UUID_2, segment_bytes, segment_content

CONTENT = segment_content(columns={"text": pa.array([None if row % 5 == 0 else f"text {row}" for row in range(40)])})
DATA, SUMMARY = segment_bytes(CONTENT)
INDEX = SegmentReader(DATA, "p")._file.index
FOOTER = SegmentReader(DATA, "p")._file.tail.footer_offset


def footer_parts():
    stored_len = SegmentReader(DATA, "p")._file.tail.footer_stored_len
    raw = DATA[FOOTER + HEADER_BYTES : FOOTER + HEADER_BYTES + stored_len]
    text_bytes, n_blocks = struct.unpack_from("<II", raw)
    fields = load_json(raw[8 : 8 + text_bytes], 1 << 20, path="p", offset=0).value
    return fields, np.frombuffer(raw[-n_blocks * INDEX_DTYPE.itemsize :], INDEX_DTYPE).copy()


FOOTER_BYTES = DATA[FOOTER + HEADER_BYTES :][: SegmentReader(DATA, "p")._file.tail.footer_stored_len]


def resealed(*, meta=None, entries=(), footer=None, header=None, tail=None, blocks=DATA[:FOOTER]):
    """A segment whose footer was changed by somebody who knows how to write checksums."""
    fields, index = footer_parts()
    for number, name, value in entries:
        index[name][number] = value
    if footer is None:
        text = dump_json(fields | (meta or {}))
        footer = struct.pack("<II", len(text), len(index)) + text + bytes(-len(text) % 8) + index.tobytes()
    written, buffers = encode_block(UUID_1, BlockType.FOOTER, plain(footer), n_values=len(index))
    written = replace(written, **(header or {}))
    body = b"".join(map(bytes, [blocks, written.encode(UUID_1), *buffers[1:]]))
    pointer = SegmentTail(
        uuid=UUID_1,
        footer_offset=FOOTER,
        footer_stored_len=written.stored_len,
        footer_checksum=written.checksum,
        size_bytes=len(body) + HEADER_BYTES,
    )
    return body + replace(pointer, **(tail or {})).encode()


def schema_with_vectors(kind):
    schema = SegmentReader(DATA, "p").schema
    place = schema.get_field_index("embedding")
    return base64.b64encode(encode_schema(schema.set(place, schema.field(place).with_type(kind)))).decode()


def test_resealing_without_a_change_gives_the_same_file():
    assert resealed() == DATA


CODES_BLOCK = INDEX.blocks(BlockType.CODES).start
VECTORS_BLOCK = INDEX.blocks(BlockType.VECTORS).start
BLOOM_BLOCK = INDEX.blocks(BlockType.BLOOM).start
ZONES_BLOCK = INDEX.blocks(BlockType.ZONES).start
TEXT_BLOCK = INDEX.blocks(BlockType.COLUMN, 2).start
FORGED_META = {
    "more rows": {"n_rows": 41},
    "no rows": {"n_rows": 0},
    "more rows than a segment may have": {"n_rows": 1 << 40},
    "other buckets": {"n_buckets": 5},
    "another metric": {"metric": "hamming"},
    "an unknown key": {"key": "absent"},
    "an unknown vector": {"vector": "absent"},
    "a vector that is none": {"vector": "id"},
    "vectors of text": {"schema": schema_with_vectors(pa.list_(pa.string(), 2))},
    "vectors of integers": {"schema": schema_with_vectors(pa.list_(pa.int32(), 3))},
    "vectors without numbers": {"schema": schema_with_vectors(pa.list_(pa.float32(), 0))},
    "vectors of any length": {"schema": schema_with_vectors(pa.list_(pa.float32()))},
    "no schema": {"schema": ""},
    "more than it knows": {"extra": 1},
    "another kind": {"kind": "drift-manifest"},
    "seqnos that descend": {"seqno_range": [9, 3]},
}
FORGED_INDEX = {
    "an offset past the file": [(CODES_BLOCK, "offset", 1 << 40)],
    "an offset past 2**63": [(CODES_BLOCK, "offset", 2**64 - 4096)],
    "an offset off its page": [(CODES_BLOCK, "offset", int(INDEX.offsets[CODES_BLOCK]) + 64)],
    "a stored length past the file": [(CODES_BLOCK, "stored_len", 2**32 - 1)],
    "a raw length of gigabytes": [(CODES_BLOCK, "raw_len", 2**32 - 1)],
    "a first row elsewhere": [(CODES_BLOCK, "first_row", 2**64 - 1)],
    "more values": [(CODES_BLOCK, "n_values", 41)],
    "no values": [(CODES_BLOCK, "n_values", 0)],
    "an unknown type": [(CODES_BLOCK, "type", 99)],
    "a type that is out of order": [(CODES_BLOCK, "type", 2)],
    "a column of no schema": [(TEXT_BLOCK, "column", 77)],
    "payload of the vector column": [(TEXT_BLOCK, "column", 1)],
    "compressed codes": [(CODES_BLOCK, "codec", 1)],
    "integers for vectors": [(VECTORS_BLOCK, "codec", 2)],
    "vectors of another size": [(VECTORS_BLOCK, "raw_len", 484)],
    "a compressed filter": [(BLOOM_BLOCK, "codec", 1)],
    "a filter without blocks": [(BLOOM_BLOCK, "n_values", 0)],
    "a filter with more blocks than bytes": [(BLOOM_BLOCK, "n_values", 3)],
    "no filter": [(BLOOM_BLOCK, "type", BlockType.KEY_ORDER)],
    "a filter of a column": [(BLOOM_BLOCK, "column", 0)],
    "zones for other blocks": [(ZONES_BLOCK, "n_values", 1)],
    "a dictionary of no column": [(ZONES_BLOCK, "type", BlockType.DICTIONARY)],
    "a block of text in an extent before its own": [(TEXT_BLOCK, "offset", PAGE_BYTES)],
}


FORGED_FRAME = {
    "a footer of another type": {"header": {"type": BlockType.NORMS}},
    "a footer of a column": {"header": {"column": 0}},
    "a compressed footer": {"header": {"codec": 1}},
    "a footer that starts later": {"header": {"first_row": 1}},
    "a footer of another count": {"header": {"n_values": 1}},
    "a footer cut off in its counts": {"footer": b"1234"},
    "a footer shorter than its counts": {"footer": struct.pack("<II", 0, 5)},
    "a footer with gigabytes of text": {"footer": struct.pack("<II", 2**32 - 1, 0)},
    "a footer with bytes after its index": {"footer": FOOTER_BYTES + bytes(8)},
    "a footer with an entry after its index": {"footer": FOOTER_BYTES + bytes(32)},
    "a tail of another length": {"tail": {"footer_stored_len": 5}},
    "a tail of another checksum": {"tail": {"footer_checksum": 5}},
    "a tail of another file size": {"tail": {"size_bytes": len(DATA) + PAGE_BYTES}},
    "a tail of another segment": {"tail": {"uuid": UUID_2}},
    "a tail that points into the header": {"tail": {"footer_offset": 0}},
    "a tail that points off its page": {"tail": {"footer_offset": FOOTER + 64}},
    "a tail that points past the file": {"tail": {"footer_offset": 1 << 40}},
    "a tail that points nowhere": {"tail": {"footer_offset": 2**64 - 1}},
    "a tail that points to another block": {"tail": {"footer_offset": PAGE_BYTES}},
}


@pytest.mark.parametrize("block_type", [BlockType.CODES, BlockType.NORMS, BlockType.BLOOM, BlockType.VECTORS])
@pytest.mark.parametrize("more_bytes", [-16, 16])
def test_a_plain_block_that_is_not_as_long_as_it_says_is_damage(block_type, more_bytes):
    number = INDEX.blocks(block_type).start
    start = int(INDEX.offsets[number])
    header = decode_block_header(memoryview(DATA)[start:], UUID_1, path="p", offset=start)
    stored_len = header.stored_len + more_bytes
    body = DATA[start + HEADER_BYTES :][:stored_len]
    forged = replace(header, stored_len=stored_len, checksum=xxh3_64(body))
    assert forged.size_bytes == header.size_bytes
    blocks = DATA[:start] + forged.encode(UUID_1) + DATA[start + HEADER_BYTES : FOOTER]
    with pytest.raises(CorruptionError, match="not as long as it says"):
        SegmentReader(resealed(blocks=blocks, entries=[(number, "stored_len", stored_len)]), "p")


@pytest.mark.parametrize("forged", FORGED_FRAME.values(), ids=FORGED_FRAME)
def test_a_forged_frame_is_damage(forged):
    with pytest.raises(CorruptionError):
        SegmentReader(resealed(**forged), "p")


def test_pages_between_footer_and_tail_are_damage():
    whole = resealed(tail={"size_bytes": len(DATA) + PAGE_BYTES})
    with pytest.raises(CorruptionError, match="tail names"):
        SegmentReader(whole[:-HEADER_BYTES] + bytes(PAGE_BYTES) + whole[-HEADER_BYTES:], "p")


def forged(monkeypatch, content=CONTENT, *, replaced=None, more=()):
    """A segment of a writer that writes other tables, and more of them, than it should."""
    write_array = SegmentSink.write_array
    write = SegmentTables.write

    def write_other(sink, block_type, rows, *, first_row=0):
        write_array(sink, block_type, (replaced or {}).get(block_type, rows), first_row=first_row)

    def write_more(tables, sink):
        write(tables, sink)
        for block_type, column, n_values in more:
            sink.write_block(block_type, plain(b"more"), n_values=n_values, column=column)

    with monkeypatch.context() as patch:
        patch.setattr(SegmentSink, "write_array", write_other)
        patch.setattr(SegmentTables, "write", write_more)
        return segment_bytes(content)


@pytest.mark.parametrize(
    "more",
    [
        [(BlockType.BITMAP, 0xFFFF, 1)],
        [(BlockType.DICTIONARY, 0, 1)] * 2,
        [(BlockType.DICTIONARY, 1, 1)],
        [(BlockType.DICTIONARY, 7, 1)],
        [(BlockType.DICTIONARY, 0xFFFF, 1)],
        [(BlockType.DICTIONARY, 0, 2)],
        [(99, 0xFFFF, 1)],
    ],
    ids=["bitmap", "two of a column", "of the vector", "of no column", "of all", "of two values", "unknown type"],
)
def test_a_block_that_no_part_asks_for_is_damage(monkeypatch, more):
    data, _ = forged(monkeypatch, more=more)
    with pytest.raises(CorruptionError, match="contradicts the"):
        SegmentReader(data, "p")


def test_a_bucket_that_crosses_extents_is_damage(monkeypatch):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 12)
    offsets = np.array([0, 10, 20, 30, 40], dtype=np.int64)
    content = segment_content(offsets=offsets)
    assert SegmentReader(forged(monkeypatch, content)[0], "p").n_rows == 40
    data, _ = forged(monkeypatch, content, replaced={BlockType.BUCKET_OFFSETS: np.array([0, 11, 20, 30, 40])})
    with pytest.raises(CorruptionError, match="a bucket crosses blocks"):
        SegmentReader(data, "p")


def test_payload_that_crosses_extents_is_damage(monkeypatch):
    write_array = SegmentSink.write_array

    def write_halves(sink, block_type, rows, *, first_row=0):
        parts = [rows[:20], rows[20:]] if block_type is BlockType.CODES else [rows]
        for number, part in enumerate(parts):
            write_array(sink, block_type, part, first_row=first_row + 20 * number)

    monkeypatch.setattr(SegmentSink, "write_array", write_halves)
    with pytest.raises(CorruptionError, match=r"contradicts the file|crosses extents"):
        SegmentReader(segment_bytes(CONTENT)[0], "p")


@pytest.mark.parametrize("meta", FORGED_META.values(), ids=FORGED_META)
def test_forged_metadata_is_damage(meta):
    with pytest.raises(CorruptionError) as caught:
        SegmentReader(resealed(meta=meta), "p")
    assert caught.value.offset == FOOTER + HEADER_BYTES


@pytest.mark.parametrize("entries", FORGED_INDEX.values(), ids=FORGED_INDEX)
def test_a_forged_index_is_damage(entries):
    with pytest.raises(CorruptionError) as caught:
        SegmentReader(resealed(entries=entries), "p")
    assert caught.value.offset == FOOTER + HEADER_BYTES


@pytest.mark.parametrize("block", [TEXT_BLOCK, VECTORS_BLOCK])
def test_an_unknown_codec_asks_for_an_upgrade(block):
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        SegmentReader(resealed(entries=[(block, "codec", 99)]), "p")


def test_a_newer_version_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        SegmentReader(resealed(meta={"format_version": 2}), "p")


@pytest.mark.parametrize(
    ("block_type", "values"),
    [
        (BlockType.BUCKET_OFFSETS, np.array([0, 30, 20, 30, 40])),
        (BlockType.BUCKET_OFFSETS, np.array([0, 10, 20, 30, 41])),
        (BlockType.BUCKET_OFFSETS, np.array([-1, 10, 20, 30, 40])),
        (BlockType.BUCKET_OFFSETS, np.array([5, 10, 20, 30, 40])),
        (BlockType.KEY_ORDER, np.full(40, 40, np.uint32)),
    ],
)
def test_numbers_that_compiled_code_would_follow_out_of_bounds_are_damage(monkeypatch, block_type, values):
    data, summary = forged(monkeypatch, replaced={block_type: values})
    assert xxh3_128(data) == summary.digest
    with pytest.raises(CorruptionError):
        SegmentReader(data, "p", summary.size_bytes, summary.digest)


FORGED_ZONES = {
    "more nulls than rows": {"null_count": 41},
    "an unknown flag": {"flags": 8},
    "a length past the bound": {"min_len": 17},
    "a length without a bound": {"flags": 2},
    "a byte that is not zero": {"zero": 1},
    "bytes behind a bound": {"min_len": 5},
}


@pytest.mark.parametrize("fields", FORGED_ZONES.values(), ids=FORGED_ZONES)
def test_a_forged_zone_is_damage_at_open(monkeypatch, fields):
    with pytest.raises(CorruptionError, match="zone map is impossible; entry=1") as caught:
        SegmentReader(forged(monkeypatch, replaced={BlockType.ZONES: zones(1, **fields)})[0], "p")
    assert caught.value.offset == int(INDEX.offsets[ZONES_BLOCK]) + HEADER_BYTES


FORGED_BOUNDS = {
    "a number of another width": (0, {"min_len": 7, "flags": 3, "minimum": b""}),
    "the wrong way round": (0, {"minimum": bytes([40]), "maximum": bytes([2])}),
    "NaN among integers": (0, {"flags": 7}),
    "text that is not UTF-8": (1, {"minimum": b"\xff", "min_len": 1}),
    "text the wrong way round": (1, {"minimum": b"z", "min_len": 1}),
}


@pytest.mark.parametrize(("entry", "fields"), FORGED_BOUNDS.values(), ids=FORGED_BOUNDS)
def test_a_forged_bound_is_damage_when_it_is_asked_for(monkeypatch, entry, fields):
    reader = SegmentReader(forged(monkeypatch, replaced={BlockType.ZONES: zones(entry, **fields)})[0], "p")
    for ask in (reader.verify, lambda: reader.zones(["id", "text"][entry]), reader.blocks):
        with pytest.raises(CorruptionError, match=f"zone map is impossible; entry={entry}"):
            ask()


def test_a_bound_of_a_column_that_has_none_is_damage(monkeypatch):
    content = segment_content(columns={"list": pa.array([[1]] * 40)})
    reader = SegmentReader(forged(monkeypatch, content, replaced={BlockType.ZONES: zones(1)})[0], "p")
    with pytest.raises(CorruptionError, match="zone map is impossible; entry=1"):
        reader.zones("list")


def zones(number, **fields):
    """The zones of the segment, with one changed."""
    start = int(INDEX.offsets[ZONES_BLOCK]) + HEADER_BYTES
    entries = np.frombuffer(DATA[start : start + 80], ZONE_DTYPE).copy()
    for name, value in fields.items():
        is_bound = isinstance(value, bytes)
        entries[number][name] = np.frombuffer(value.ljust(16, b"\0"), np.uint8) if is_bound else value
    return entries
