"""Damaged, truncated and swapped segments: an error with path and offset, or the right answer; nothing else."""

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format import segment_file
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, BlockType
from drift_arrow.format.segment_reader import SegmentReader
from tests.format.samples import UUID_2, flipped, outcome, segment_bytes, segment_content

CONTENT = segment_content(columns={"text": pa.array([None if row % 5 == 0 else f"text {row}" for row in range(40)])})
DATA, SUMMARY = segment_bytes(CONTENT)
INDEX = SegmentReader(DATA, "p")._file.index
FOOTER = SegmentReader(DATA, "p")._file.tail.footer_offset
COLUMNS = CONTENT.spec.schema.names


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
    keys = reader.maybe_contains(CONTENT.rows.fingerprints)
    arrays = [*hot, reader.key_order, reader.raw_vectors(0, 40), keys]
    return table.to_pylist(), reader.zones("id") + reader.zones("text"), [array.tobytes() for array in arrays]


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


@pytest.mark.parametrize("position", [HEADER_BYTES, PAGE_BYTES - 1, len(DATA) - HEADER_BYTES - 1])
def test_without_a_digest_padding_around_header_and_footer_is_checked_at_open(position):
    with pytest.raises(CorruptionError) as caught:
        SegmentReader(flipped(DATA, position), "p")
    assert caught.value.offset == position


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
    other, _ = segment_bytes(segment_content(uuid=UUID_2, seed=8, columns={"text": CONTENT.rows.table.column("text")}))
    with pytest.raises(CorruptionError, match="not the one that the manifest names"):
        SegmentReader(other, "p", expected_digest=SUMMARY.digest)


def test_a_page_of_another_segment_is_damage():
    other, _ = segment_bytes(segment_content(uuid=UUID_2, columns={"text": CONTENT.rows.table.column("text")}))
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


def test_verify_finds_what_rots_after_the_segment_was_opened():
    data = bytearray(DATA)
    reader = SegmentReader(data, "p", SUMMARY.size_bytes, SUMMARY.digest)
    for position in [*USED[::7], *PADDING[::509]]:
        data[position] ^= 1
        with pytest.raises(CorruptionError) as caught:
            reader.verify()
        assert caught.value.offset == OWNER[position]
        data[position] ^= 1
    reader.verify()


def test_random_bytes_are_damage():
    random = np.random.default_rng(9)
    for _ in range(200):
        with pytest.raises(CorruptionError):
            SegmentReader(random.bytes(int(random.integers(0, 10_000))), "p")
