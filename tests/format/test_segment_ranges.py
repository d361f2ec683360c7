"""A segment in a store that is asked for ranges: few requests, no more bytes than needed, the same answers."""

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format import segment_blocks, segment_extent, segment_file, source
from drift_arrow.format.layout import HEADER_BYTES, TAIL_READ_BYTES, BlockType
from drift_arrow.format.segment_reader import SegmentReader
from tests.format.samples import CountingSource, flipped, outcome, segment_bytes, segment_content

ROWS, DIM = 6000, 64
TEXT = pa.array([f"text {row} {row * 7919 % 6000}" for row in range(ROWS)])
GAP = 4096


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 1000)
    monkeypatch.setattr(source, "COALESCE_GAP_BYTES", GAP)


@pytest.fixture(scope="module")
def content():
    return segment_content(ROWS, DIM, 60, columns={"text": TEXT, "number": pa.array(np.arange(ROWS) * 0.5)})


@pytest.fixture
def data(content):
    return segment_bytes(content)[0]


@pytest.fixture
def store(data):
    return CountingSource(data)


@pytest.fixture
def reader(store):
    found = SegmentReader(store, "p")
    store.requests.clear()
    return found


def stored_bytes(reader, block_type):
    return sum(block.stored_len + HEADER_BYTES for block in reader.blocks() if block.type is block_type)


def test_it_opens_with_one_request_for_its_ends_one_for_the_tables_and_one_for_the_codes(store, data):
    reader = SegmentReader(store, "p")
    ends, tables, codes = store.requests
    tables_start, tail_start = reader._file.index.tables_start, len(data) - TAIL_READ_BYTES
    assert ends == [(0, 4096), (tail_start, TAIL_READ_BYTES)]
    assert tables == [(tables_start, reader._file.tail.footer_offset - tables_start)]
    n_extents = len(reader._file.index.numbers(BlockType.CODES))
    assert len(codes) == n_extents
    assert sum(length for _, length in codes) == stored_bytes(reader, BlockType.CODES)


def test_a_footer_that_is_longer_than_the_first_request_is_fetched_by_itself(monkeypatch, store, data):
    monkeypatch.setattr(segment_file, "TAIL_READ_BYTES", 100)
    reader = SegmentReader(store, "p")
    footer = reader._file.tail.footer_offset
    assert store.requests[1] == [(footer, len(data) - HEADER_BYTES - footer)]
    assert len(store.requests) == 4


def test_a_small_segment_is_fetched_at_once(monkeypatch):
    monkeypatch.setattr(source, "COALESCE_GAP_BYTES", 1 << 20)
    content = segment_content()
    store = CountingSource(segment_bytes(content)[0])
    reader = SegmentReader(store, "p")
    assert np.array_equal(reader.norms, content.rows.norms)
    assert [len(request) for request in store.requests] == [1]


def test_it_answers_as_a_map_does(data, reader):
    mapped = SegmentReader(data, "p")
    rows, names = np.array([5999, 0, 17, 3000, 17]), ["text", "embedding", "id", "number"]
    assert reader.take(rows, names).equals(mapped.take(rows, names))
    assert reader.read_rows(900, 2100, names).equals(mapped.read_rows(900, 2100, names))
    assert reader.read_columns(names).equals(mapped.read_columns(names))
    assert np.array_equal(reader.vectors(rows), mapped.vectors(rows))
    assert np.array_equal(reader.raw_vectors(10, 5000), mapped.raw_vectors(10, 5000))
    for name in ("offsets", "centroids", "lo", "step", "norms", "sorted_fingerprints", "key_order"):
        assert np.array_equal(getattr(reader, name), getattr(mapped, name))
    assert reader.blocks() == mapped.blocks()
    reader.verify()


def test_a_row_costs_one_request_for_the_blocks_that_hold_it(store, reader):
    reader.take(np.array([2500]), ["text", "number"])
    blocks = [
        block
        for block in reader._inspection().blocks()
        if block.column in {"text", "number"} and block.first_row <= 2500 < block.first_row + block.n_values
    ]
    assert len(store.requests) > 0
    assert len(store.requests[0]) == 1
    ((offset, length),) = store.requests[0]
    assert offset == min(block.offset for block in blocks)
    assert offset + length == max(block.offset + HEADER_BYTES + block.stored_len for block in blocks)


def test_columns_and_vectors_of_a_bucket_are_one_request(store, reader):
    reader.read_bucket(7, ["text", "embedding", "number"])
    assert len(store.requests) == 1


def test_what_was_fetched_is_kept(store, reader):
    for _ in range(3):
        reader.take(np.array([2500, 7]), ["text", "embedding"])
    assert len(store.requests) == 1


def test_what_is_wanted_at_once_is_fetched_once_however_little_is_kept(monkeypatch, data):
    monkeypatch.setattr(segment_blocks, "BLOCK_CACHE_BYTES", 0)
    store = CountingSource(data)
    reader = SegmentReader(store, "p")
    store.requests.clear()
    reader.read_columns(["text", "number", "embedding"])
    assert len(store.requests) == 1


def test_a_column_that_is_not_wanted_is_not_fetched(store, reader, content):
    reader.read_columns(["id"])
    wanted = sum(
        block.stored_len + HEADER_BYTES for block in SegmentReader(store.data, "p").blocks() if block.column == "id"
    )
    assert sum(length for request in store.requests for _, length in request) == wanted


def test_near_blocks_are_fetched_with_what_lies_between_them(monkeypatch, store, reader):
    monkeypatch.setattr(source, "COALESCE_GAP_BYTES", 1 << 30)
    reader.take(np.array([0, 5999]), ["id"])
    assert [len(request) for request in store.requests] == [1]


def test_what_is_fetched_is_verified_each_time(data):
    vectors = next(block for block in SegmentReader(data, "p").blocks() if block.type is BlockType.VECTORS)
    store = CountingSource(flipped(data, vectors.offset + HEADER_BYTES + 5))
    reader = SegmentReader(store, "p")
    for _ in range(2):
        with pytest.raises(CorruptionError) as caught:
            reader.vectors(np.array([0]))
        assert caught.value.offset == vectors.offset + HEADER_BYTES


def test_a_store_with_another_file_than_the_manifest_names_is_damage(store, data):
    with pytest.raises(CorruptionError, match="another size"):
        SegmentReader(store, "p", len(data) + 1)


def test_a_forged_tail_cannot_ask_for_more_than_a_footer(data):
    changed = bytearray(data)
    start = len(data) - HEADER_BYTES
    tail = SegmentReader(data, "p")._file.tail
    forged = type(tail)(
        uuid=tail.uuid,
        footer_offset=4096,
        footer_stored_len=tail.footer_stored_len,
        footer_checksum=tail.footer_checksum,
        size_bytes=1 << 40,
    )
    changed[start:] = forged.encode()

    class Huge(CountingSource):
        def read_ranges(self, ranges):
            assert sum(length for _, length in ranges) < 1 << 20
            return [bytes(self.data[-length:] if offset else self.data[:length]) for offset, length in ranges]

    store = Huge(bytes(changed))
    store.size_bytes = 1 << 40
    with pytest.raises(CorruptionError, match="tail names"):
        SegmentReader(store, "p")


def answers(source):
    reader = SegmentReader(source, "p")
    names = reader.schema.names
    return reader.read_columns(names), reader.norms.tobytes(), reader.key_order.tobytes(), reader.zones("text")


def test_damage_is_found_or_harmless_wherever_it_is():
    content = segment_content(columns={"text": TEXT.slice(0, 40)})
    data, _ = segment_bytes(content)
    expected, n_found = answers(CountingSource(data)), 0
    for position in range(0, len(data), 53):
        found, error = outcome(answers, CountingSource(flipped(data, position)))
        assert found == expected or error is not None
        n_found += error is not None
    assert n_found > 50


def test_truncations_are_damage(data):
    for length in [*range(0, 5000, 611), *range(5000, len(data), 30_011), len(data) - 1]:
        with pytest.raises(CorruptionError):
            SegmentReader(CountingSource(data[:length]), "p")
