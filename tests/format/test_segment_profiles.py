"""Segments of both profiles with every kind of block: the same answers, and no wrong ones from damaged bytes."""

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format import segment_extent
from drift_arrow.format.layout import HEADER_BYTES, MAX_BLOCK_BYTES, BlockType, CodecId
from drift_arrow.format.segment_reader import SegmentReader
from tests.format.samples import CountingSource, flipped, outcome, segment_bytes, segment_content

ROWS, DIM = 8000, 16
PROFILES = ["hot", "cold"]
SOME = [7999, 0, 4000, 4000, 6001]


def rich_content(profile):
    random = np.random.default_rng(11)
    words = np.array([bytes(random.integers(97, 123, 40, np.uint8)).decode() for _ in range(200)])
    text = [f"{' '.join(some)} {row}" for row, some in enumerate(words[random.integers(0, 200, (ROWS, 3))])]
    columns = {
        "text": pa.array(text),
        "price": pa.array(np.round(random.random(ROWS) * 100, 2)),
        "tag": pa.array(words[random.integers(0, 20, ROWS)]).dictionary_encode(),
        "flag": pa.array(random.random(ROWS) < 0.1, mask=random.random(ROWS) < 0.2),
        "list": pa.array([[int(row), None] if row % 3 else None for row in range(ROWS)]),
    }
    vectors = random.integers(-500, 500, (ROWS, DIM)).astype(np.float32) / 8
    return segment_content(ROWS, DIM, 40, columns=columns, profile=profile, vectors=vectors)


@pytest.fixture(scope="module", params=PROFILES)
def rich(request):
    """Content, bytes and answers of a segment of several extents."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_extent, "EXTENT_ROWS", 7000)
        content = rich_content(request.param)
        data, _ = segment_bytes(content)
    return content, data, answers(data)


def answers(source):
    reader = SegmentReader(source, "p")
    rows = np.array(SOME)
    names = reader.schema.names
    zones = [reader.zones(name) for name in names if name != "embedding"]
    return reader.read_columns(names), reader.take(rows, names), reader.vectors(rows).tobytes(), zones


def test_everything_comes_back(rich):
    content, _, (table, taken, _, _) = rich
    for name in content.rows.table.column_names:
        assert table.column(name).to_pylist() == content.rows.table.column(name).to_pylist()
        assert taken.column(name).to_pylist() == [
            table.column(name)[row].as_py() for row in (7999, 0, 4000, 4000, 6001)
        ]
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in table.column("embedding").chunks])
    assert np.array_equal(flat.reshape(-1, DIM), content.rows.vectors)


def test_a_store_answers_as_a_map_does(rich):
    _, data, expected = rich
    assert answers(CountingSource(data)) == expected


def test_a_store_is_asked_for_a_dictionary_with_the_tables(rich):
    store = CountingSource(rich[1])
    reader = SegmentReader(store, "p")
    store.requests.clear()
    reader.take(np.array([1]), ["text"])
    assert len(store.requests) == 1


def test_every_kind_of_block_is_there(rich):
    content, data, _ = rich
    reader = SegmentReader(data, "p")
    blocks, is_hot = reader.blocks(), content.spec.profile == "hot"
    absent = {BlockType.FOOTER, BlockType.BITMAP} | (set() if is_hot else {BlockType.DICTIONARY})
    assert {block.type for block in blocks} == set(BlockType) - absent
    vectors = {block.codec for block in blocks if block.type is BlockType.VECTORS}
    assert vectors <= ({CodecId.FLOATS} if is_hot else {CodecId.FLOATS, CodecId.COMPRESSED, CodecId.PLANES})
    assert {block.column for block in blocks if block.type is BlockType.DICTIONARY} <= {"text"}
    reader.verify()


def test_damage_is_found_or_harmless_wherever_it_is(rich):
    _, data, expected = rich
    random = np.random.default_rng(5)
    for block in SegmentReader(data, "p").blocks():
        start, stop = block.offset + HEADER_BYTES, block.offset + HEADER_BYTES + block.stored_len
        for position in [block.offset + int(random.integers(HEADER_BYTES)), *random.integers(start, stop, 2).tolist()]:
            found, error = outcome(answers, flipped(data, position))
            assert found == expected or error is not None
            with pytest.raises(CorruptionError):
                SegmentReader(flipped(data, position), "p").verify()


def test_the_same_content_gives_the_same_bytes(rich):
    content, data, _ = rich
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_extent, "EXTENT_ROWS", 7000)
        assert segment_bytes(content)[0] == data


def test_cold_is_smaller_than_hot():
    sizes = [len(segment_bytes(rich_content(profile))[0]) for profile in PROFILES]
    assert sizes[1] < sizes[0]


def test_no_two_blocks_overlap_and_none_is_longer_than_its_limit(rich):
    _, data, _ = rich
    blocks = SegmentReader(data, "p").blocks()
    stops = [block.offset + HEADER_BYTES + block.stored_len for block in blocks]
    assert all(stop <= block.offset for stop, block in zip(stops, blocks[1:], strict=False))
    assert max(block.raw_len for block in blocks) <= MAX_BLOCK_BYTES
