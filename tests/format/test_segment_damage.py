"""Damaged, truncated, swapped and forged segments: an error with path and offset, or the right answer; nothing else."""

import struct

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format import segment_file
from drift_arrow.format.block import encode_block
from drift_arrow.format.block_index import INDEX_DTYPE
from drift_arrow.format.canonical_json import dump_json, load_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, BlockType
from drift_arrow.format.segment_footer import SegmentTail
from drift_arrow.format.segment_reader import SegmentReader
from tests.format.samples import UUID_1, UUID_2, flipped, outcome, segment_bytes, segment_content

CONTENT = segment_content(columns={"text": pa.array([None if row % 5 == 0 else f"text {row}" for row in range(40)])})
DATA, SUMMARY = segment_bytes(CONTENT)
INDEX = SegmentReader(DATA, "p")._file.index
FOOTER = SegmentReader(DATA, "p")._file.tail.footer_offset
COLUMNS = CONTENT.schema.names


def regions():
    """(start, stop) of every part with its own checksum; the rest of the file is padding."""
    found = [(0, HEADER_BYTES)]
    stored = [*zip(INDEX.offsets.tolist(), INDEX.entries["stored_len"].tolist(), strict=True)]
    stored.append((FOOTER, SegmentReader(DATA, "p")._file.tail.footer_stored_len))
    for offset, length in stored:
        found += [(offset, offset + HEADER_BYTES), (offset + HEADER_BYTES, offset + HEADER_BYTES + length)]
    return [*found, (len(DATA) - HEADER_BYTES, len(DATA))]


OWNER = np.arange(len(DATA))
for start, stop in regions():
    OWNER[start:stop] = start
USED = np.flatnonzero(np.isin(OWNER, [start for start, _ in regions()])).tolist()
PADDING = sorted(set(range(len(DATA))) - set(USED))


def everything(data, digest=None):
    reader = SegmentReader(data, "segments/x", expected_digest=digest)
    table = reader.read_columns(COLUMNS)
    hot = [reader.offsets, reader.centroids, reader.lo, reader.step, reader.norms, reader.sorted_fingerprints]
    return table.to_pylist(), [array.tobytes() for array in [*hot, reader.key_order, reader.raw_vectors(0, 40)]]


EVERYTHING = everything(DATA)


def assert_damage_is_found_where_it_is(position):
    changed = flipped(DATA, position)
    with pytest.raises(CorruptionError) as caught:
        SegmentReader(changed, "segments/x", SUMMARY.size_bytes, SUMMARY.digest)
    assert (caught.value.path, caught.value.offset) == ("segments/x", OWNER[position])


def assert_damage_is_no_wrong_answer(position):
    changed = flipped(DATA, position)
    found, error = outcome(everything, changed)
    if error is not None:
        assert error.offset == OWNER[position]
        return
    assert found == EVERYTHING
    with pytest.raises(CorruptionError) as caught:
        SegmentReader(changed, "segments/x").verify()
    assert caught.value.offset == OWNER[position]


def test_every_flipped_byte_in_use_is_found_at_open_with_its_offset():
    for position in USED:
        assert_damage_is_found_where_it_is(position)


def test_flipped_padding_is_found_at_open_with_its_offset():
    for position in PADDING[::61]:
        assert_damage_is_found_where_it_is(position)


@pytest.mark.slow
def test_every_flipped_byte_of_padding_is_found_at_open_with_its_offset():
    for position in PADDING:
        assert_damage_is_found_where_it_is(position)


def test_without_a_digest_every_flipped_byte_in_use_is_found_when_it_is_read():
    for position in USED:
        assert_damage_is_no_wrong_answer(position)


def test_without_a_digest_flipped_padding_is_found_by_verify():
    for position in PADDING[::203]:
        assert_damage_is_no_wrong_answer(position)


@pytest.mark.parametrize("digest", [None, SUMMARY.digest], ids=["no digest", "digest"])
def test_truncations_are_damage(digest):
    for length in [*range(HEADER_BYTES + 1), *range(HEADER_BYTES, len(DATA), 97), len(DATA) - 1]:
        with pytest.raises(CorruptionError):
            SegmentReader(DATA[:length], "p", expected_digest=digest)


def test_a_truncation_is_named_at_the_place_where_the_file_ends():
    with pytest.raises(CorruptionError, match="another size") as caught:
        SegmentReader(DATA[:5000], "p", SUMMARY.size_bytes, SUMMARY.digest)
    assert caught.value.offset == 5000


def test_zeroed_sectors_are_damage():
    for start in range(0, len(DATA), 512):
        changed = bytearray(DATA)
        changed[start : start + 512] = bytes(len(changed[start : start + 512]))
        if changed == DATA:
            continue
        with pytest.raises(CorruptionError):
            SegmentReader(changed, "p", SUMMARY.size_bytes, SUMMARY.digest)


def test_another_intact_segment_is_not_the_one_that_the_manifest_names():
    other, _ = segment_bytes(segment_content(uuid=UUID_2, seed=8, columns={"text": CONTENT.table.column("text")}))
    with pytest.raises(CorruptionError, match="not the one that the manifest names"):
        SegmentReader(other, "p", expected_digest=SUMMARY.digest)


def test_a_page_of_another_segment_is_damage():
    other, _ = segment_bytes(segment_content(uuid=UUID_2, columns={"text": CONTENT.table.column("text")}))
    for offset in range(0, len(DATA), PAGE_BYTES):
        mixed = DATA[:offset] + other[offset : offset + PAGE_BYTES] + DATA[offset + PAGE_BYTES :]
        with pytest.raises(CorruptionError):
            SegmentReader(mixed, "p").verify()


def test_swapped_blocks_are_damage():
    lo, step = (INDEX.blocks(kind).start for kind in (BlockType.CODE_LO, BlockType.CODE_STEP))
    changed = bytearray(DATA)
    for source, target in ((lo, step), (step, lo)):
        start, stop = (int(INDEX.offsets[number]) for number in (source, target))
        changed[stop : stop + PAGE_BYTES] = DATA[start : start + PAGE_BYTES]
    with pytest.raises(CorruptionError, match="index names"):
        SegmentReader(changed, "p")


def test_a_large_segment_is_verified_block_by_block_at_first_use(monkeypatch):
    monkeypatch.setattr(segment_file, "VERIFY_ON_OPEN_BYTES", 0)
    vectors = int(INDEX.offsets[INDEX.blocks(BlockType.VECTORS).start]) + HEADER_BYTES
    reader = SegmentReader(flipped(DATA, vectors), "p", SUMMARY.size_bytes, SUMMARY.digest)
    assert reader.take(np.array([3]), ["text"]).column(0).to_pylist() == ["text 3"]
    with pytest.raises(CorruptionError) as caught:
        reader.vectors(np.array([3]))
    assert caught.value.offset == vectors


def test_hot_blocks_of_a_large_segment_are_verified_at_open(monkeypatch):
    monkeypatch.setattr(segment_file, "VERIFY_ON_OPEN_BYTES", 0)
    codes = int(INDEX.offsets[INDEX.blocks(BlockType.CODES).start]) + HEADER_BYTES
    with pytest.raises(CorruptionError) as caught:
        SegmentReader(flipped(DATA, codes), "p", SUMMARY.size_bytes, SUMMARY.digest)
    assert caught.value.offset == codes


def resealed(*, meta=None, entries=None):
    """A segment whose footer was changed by somebody who knows how to write checksums."""
    raw = DATA[FOOTER + HEADER_BYTES : FOOTER + HEADER_BYTES + SegmentReader(DATA, "p")._file.tail.footer_stored_len]
    text_bytes, n_blocks = struct.unpack_from("<II", raw)
    fields = load_json(raw[8 : 8 + text_bytes], 1 << 20, path="p", offset=0).value | (meta or {})
    text = dump_json(fields)
    index = np.frombuffer(raw[-n_blocks * INDEX_DTYPE.itemsize :], INDEX_DTYPE).copy()
    for number, name, value in entries or []:
        index[name][number] = value
    footer = struct.pack("<II", len(text), n_blocks) + text + bytes(-len(text) % 8) + index.tobytes()
    header, buffers = encode_block(UUID_1, BlockType.FOOTER, footer, n_values=n_blocks)
    body = DATA[:FOOTER] + b"".join(map(bytes, buffers))
    tail = SegmentTail(
        uuid=UUID_1,
        footer_offset=FOOTER,
        footer_stored_len=header.stored_len,
        footer_checksum=header.checksum,
        size_bytes=len(body) + HEADER_BYTES,
    )
    return body + tail.encode()


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
        ("key_order", np.full(40, 40, np.uint32)),
    ],
)
def test_numbers_that_compiled_code_would_follow_out_of_bounds_are_damage(monkeypatch, name, values):
    monkeypatch.setattr("drift_arrow.format.segment_writer.SegmentContent.check", lambda _: None)
    data, summary = segment_bytes(segment_content(**{name: values}))
    assert xxh3_128(data) == summary.digest
    with pytest.raises(CorruptionError):
        SegmentReader(data, "p", summary.size_bytes, summary.digest)


def test_random_bytes_are_damage():
    random = np.random.default_rng(9)
    for _ in range(200):
        with pytest.raises(CorruptionError):
            SegmentReader(random.bytes(int(random.integers(0, 10_000))), "p")
