"""Segments whose checksums are right and whose contents are not: nothing in them is trusted beyond its checks."""

import struct
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format import segment_writer
from drift_arrow.format.block import encode_block
from drift_arrow.format.block_index import INDEX_DTYPE
from drift_arrow.format.canonical_json import dump_json, load_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, BlockType
from drift_arrow.format.segment_footer import SegmentTail
from drift_arrow.format.segment_reader import SegmentReader
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


def resealed(*, meta=None, entries=(), footer=None, header=None, tail=None):
    """A segment whose footer was changed by somebody who knows how to write checksums."""
    fields, index = footer_parts()
    for number, name, value in entries:
        index[name][number] = value
    if footer is None:
        text = dump_json(fields | (meta or {}))
        footer = struct.pack("<II", len(text), len(index)) + text + bytes(-len(text) % 8) + index.tobytes()
    written, buffers = encode_block(UUID_1, BlockType.FOOTER, footer, n_values=len(index))
    written = replace(written, **(header or {}))
    body = b"".join(map(bytes, [DATA[:FOOTER], written.encode(UUID_1), *buffers[1:]]))
    pointer = SegmentTail(
        uuid=UUID_1,
        footer_offset=FOOTER,
        footer_stored_len=written.stored_len,
        footer_checksum=written.checksum,
        size_bytes=len(body) + HEADER_BYTES,
    )
    return body + replace(pointer, **(tail or {})).encode()


def test_resealing_without_a_change_gives_the_same_file():
    assert resealed() == DATA


CODES_BLOCK = INDEX.blocks(BlockType.CODES).start
FORGED_META = {
    "more rows": {"n_rows": 41},
    "no rows": {"n_rows": 0},
    "more rows than a segment may have": {"n_rows": 1 << 40},
    "other buckets": {"n_buckets": 5},
    "another metric": {"metric": "hamming"},
    "an unknown key": {"key": "absent"},
    "an unknown vector": {"vector": "absent"},
    "a vector that is none": {"vector": "id"},
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
    "a column of no schema": [(len(INDEX) - 1, "column", 77)],
    "compressed codes": [(CODES_BLOCK, "codec", 1)],
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


@pytest.mark.parametrize("forged", FORGED_FRAME.values(), ids=FORGED_FRAME)
def test_a_forged_frame_is_damage(forged):
    with pytest.raises(CorruptionError):
        SegmentReader(resealed(**forged), "p")


def test_pages_between_footer_and_tail_are_damage():
    whole = resealed(tail={"size_bytes": len(DATA) + PAGE_BYTES})
    with pytest.raises(CorruptionError, match="tail names"):
        SegmentReader(whole[:-HEADER_BYTES] + bytes(PAGE_BYTES) + whole[-HEADER_BYTES:], "p")


def test_a_block_that_no_part_asks_for_is_damage(monkeypatch):
    write_column = segment_writer._write_column

    def write_more(sink, column, values, name):
        write_column(sink, column, values, name)
        if name == "text":
            sink.write_block(BlockType.BITMAP, b"more", n_values=1)

    monkeypatch.setattr(segment_writer, "_write_column", write_more)
    data, _ = segment_bytes(CONTENT)
    with pytest.raises(CorruptionError, match="contradicts the metadata"):
        SegmentReader(data, "p")


def test_a_bucket_that_crosses_code_blocks_is_damage(monkeypatch):
    monkeypatch.setattr(segment_writer, "_bucket_cuts", lambda offsets, _: [0, int(offsets[1]) - 1])
    data, _ = segment_bytes(CONTENT)
    with pytest.raises(CorruptionError, match="a bucket crosses blocks"):
        SegmentReader(data, "p")


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


def test_an_unknown_codec_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        SegmentReader(resealed(entries=[(len(INDEX) - 1, "codec", 7)]), "p")


def test_a_newer_version_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        SegmentReader(resealed(meta={"format_version": 2}), "p")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("offsets", np.array([0, 30, 20, 30, 40])),
        ("offsets", np.array([0, 10, 20, 30, 41])),
        ("offsets", np.array([-1, 10, 20, 30, 40])),
        ("offsets", np.array([5, 10, 20, 30, 40])),
        ("key_order", np.full(40, 40, np.uint32)),
    ],
)
def test_numbers_that_compiled_code_would_follow_out_of_bounds_are_damage(monkeypatch, name, values):
    monkeypatch.setattr("drift_arrow.format.segment_writer.SegmentContent.check", lambda _: None)
    data, summary = segment_bytes(segment_content(**{name: values}))
    assert xxh3_128(data) == summary.digest
    with pytest.raises(CorruptionError):
        SegmentReader(data, "p", summary.size_bytes, summary.digest)
