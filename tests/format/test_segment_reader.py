import ctypes
import gc
import mmap
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.engine.storage.file_map import FileMap
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.errors import CorruptionError, InvalidArgumentError
from drift_arrow.format import segment_columns, segment_extent, segment_file
from drift_arrow.format.layout import BlockType, CodecId
from drift_arrow.format.segment_blocks import SegmentBlocks
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.kernels import integers
from tests.format.samples import UUID_1, arrays, same, segment_bytes, segment_content

WORDS = pa.array([None if row % 7 == 0 else f"word {row}" for row in range(10_000)], pa.string_view())
HOT_ARRAYS = ["offsets", "centroids", "lo", "step", "norms"]


def opened(content):
    data, summary = segment_bytes(content)
    return SegmentReader(data, "p", summary.size_bytes, summary.digest)


@pytest.fixture(scope="module")
def large():
    """Rows enough for three payload blocks and, with 600 dimensions, several blocks of vectors and codes."""
    category = pa.array([f"category {row // 2000}" for row in range(10_000)]).dictionary_encode()
    return segment_content(10_000, 600, 70, columns={"word": WORDS, "category": category})


@pytest.fixture(scope="module")
def small_extents():
    """The same rows in ten extents or more, for whoever opens them."""
    return segment_content(10_000, 3, 70, columns={"word": WORDS})


@pytest.fixture(autouse=True)
def _small_extents(request, monkeypatch):
    if "small_extents" in request.fixturenames:
        monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 1000)


@pytest.fixture(scope="module")
def reader(large):
    return opened(large)


@pytest.mark.parametrize("name", HOT_ARRAYS)
def test_hot_arrays_come_back(reader, large, name):
    assert np.array_equal(getattr(reader, name), getattr(large.rows, name))


def test_fingerprints_come_back(reader, large):
    assert np.array_equal(reader.sorted_fingerprints, large.rows.fingerprints[reader.key_order])
    assert (np.diff(reader.sorted_fingerprints[:, 0].astype(np.int64)) > 0).all()
    assert reader.sorted_fingerprints.flags.c_contiguous


def test_metadata_comes_back(reader, large):
    assert reader.schema.equals(large.spec.schema, check_metadata=True)
    assert (reader.vector, reader.key, reader.metric) == ("embedding", "id", "l2")
    assert (reader.n_rows, reader.dim, reader.n_buckets) == (10_000, 600, 70)
    assert (reader.uuid, reader.seqno_range) == (UUID_1, (3, 9))


def test_code_addresses_lead_to_the_codes_of_each_bucket(reader, large):
    for bucket, address in enumerate(reader.code_address.tolist()):
        start, stop = large.rows.offsets[bucket : bucket + 2]
        codes = (ctypes.c_uint8 * ((stop - start) * 600)).from_address(address)
        assert bytes(codes) == large.rows.codes[start:stop].tobytes()


def test_codes_start_64_byte_aligned_in_the_file(reader):
    data, _ = segment_bytes(segment_content())
    aligned = np.empty(len(data) + 64, np.uint8)
    start = -aligned.ctypes.data % 64
    aligned[start : start + len(data)] = np.frombuffer(data, np.uint8)
    assert SegmentReader(aligned[start : start + len(data)], "p").code_address[0] % 64 == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_vectors_come_back_in_every_stored_type(dtype):
    content = segment_content(dtype=dtype)
    rows = np.array([39, 0, 7, 7])
    found = opened(content)
    assert np.array_equal(found.raw_vectors(0, 40), content.rows.vectors)
    assert found.raw_vectors(0, 40).dtype == dtype
    assert np.array_equal(found.vectors(rows), content.rows.vectors[rows].astype(np.float32))
    assert found.vectors(rows).dtype == np.float32


def test_blocks_of_a_column_and_the_table_of_vectors_begin_at_the_first_row(reader):
    name = next(name for name in reader.schema.names if name != reader.vector)
    starts = reader.block_starts(name)
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    assert reader.vector_table.first_rows[[0, -1]].tolist() == [0, reader.n_rows]


def test_no_rows_have_no_vectors(reader):
    assert reader.vectors(np.empty(0, np.int64)).shape == (0, reader.dim)


def test_rows_may_be_any_view(reader):
    rows = np.arange(0, reader.n_rows, 7)
    names = [name for name in reader.schema.names if name != reader.vector]
    assert reader.take(rows[::-2], names).equals(reader.take(rows[::-2].copy(), names))
    np.testing.assert_array_equal(reader.vectors(rows[::-2]), reader.vectors(rows[::-2].copy()))


def test_vectors_of_several_blocks_come_back_in_any_order(reader, large):
    rows = np.random.default_rng(5).integers(0, 10_000, 500)
    assert np.array_equal(reader.vectors(rows), large.rows.vectors[rows])
    assert reader.vectors(rows).flags.c_contiguous


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10_000), (1740, 1760), (0, 0), (5, 5), (10_000, 10_000), (9_999, 10_000)]
)
def test_a_range_of_vectors_comes_back(reader, large, start, stop):
    assert np.array_equal(reader.raw_vectors(start, stop), large.rows.vectors[start:stop])


@pytest.mark.parametrize("profile", ["hot", "cold"])
@pytest.mark.parametrize(("start", "stop"), [(0, 9000), (10, 8999), (3000, 6000), (2999, 3001), (7, 7)])
def test_vectors_that_are_packed_become_one_array(monkeypatch, start, stop, profile):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 3000)
    vectors = np.round(np.random.default_rng(4).normal(size=(9000, 8)), 1).astype(np.float32)
    found = opened(segment_content(9000, 8, 100, vectors=vectors, profile=profile))
    assert {block.codec for block in found.blocks() if block.type is BlockType.VECTORS}.isdisjoint({CodecId.PLAIN})
    table = found.read_rows(start, stop, ["embedding"])
    assert table.column(0).num_chunks == (start < stop)
    assert np.array_equal(table.column(0).combine_chunks().flatten().to_numpy(), vectors[start:stop].reshape(-1))
    assert np.array_equal(found.raw_vectors(start, stop), vectors[start:stop])


def test_vector_blocks_cover_all_rows(reader, large):
    blocks = list(reader.vector_blocks())
    assert len(blocks) > 1
    assert [first for first, _ in blocks] == np.cumsum([0] + [len(matrix) for _, matrix in blocks[:-1]]).tolist()
    assert np.array_equal(np.concatenate([matrix for _, matrix in blocks]), large.rows.vectors)


def test_no_array_can_be_written_to(reader):
    for name in [*HOT_ARRAYS, "sorted_fingerprints", "key_order"]:
        assert not getattr(reader, name).flags.writeable


def test_columns_come_back_whole(reader, large):
    table = reader.read_columns(["word", "category", "embedding", "id"])
    assert same(table.column("word"), large.rows.table.column("word"))
    assert table.column("category").to_pylist() == large.rows.table.column("category").to_pylist()
    assert table.column("id").equals(large.rows.table.column("id"))
    flat = np.concatenate([chunk.flatten().to_numpy() for chunk in table.column("embedding").chunks])
    assert np.array_equal(flat.reshape(-1, 600), large.rows.vectors)


def test_fields_and_schema_metadata_come_back(reader, large):
    table = reader.take(np.array([1]), ["embedding", "word"])
    assert table.schema.field("embedding").equals(large.spec.schema.field("embedding"), check_metadata=True)
    assert table.schema.metadata == large.spec.schema.metadata


@pytest.mark.parametrize("name", arrays())
def test_every_type_comes_back_in_any_order(name):
    array = arrays()[name]
    found = opened(segment_content(6, columns={"payload": array}))
    rows = np.array([5, 0, 2, 2, 3])
    taken = found.take(rows, ["payload"]).column("payload")
    assert taken.type == array.type
    assert repr(taken.to_pylist()) == repr([array.to_pylist()[row] for row in rows])
    assert same(found.read_columns(["payload"]).column("payload"), pa.chunked_array([array]))
    taken.validate(full=True)


@given(st.lists(st.integers(0, 9_999), max_size=30))
def test_any_rows_come_back_in_their_order(rows):
    table = READER.take(np.array(rows, dtype=np.int64), ["word", "id", "embedding"])
    assert table.column("id").to_pylist() == rows
    assert table.column("word").to_pylist() == [WORDS[row].as_py() for row in rows]
    assert len(table.column("embedding")) == len(rows)


READER = opened(segment_content(10_000, columns={"word": WORDS}))


def test_taking_reads_only_the_blocks_that_hold_the_rows_and_each_once(monkeypatch, small_extents):
    found, touched = opened(small_extents), []
    check = SegmentBlocks._check

    def noting(blocks, number, frame):
        touched.append(number)
        return check(blocks, number, frame)

    monkeypatch.setattr(SegmentBlocks, "_check", noting)
    for _ in range(2):
        found.take(np.array([1, 9_000, 2]), ["word"])
    assert len(touched) == 2


def test_no_more_blocks_are_kept_open_than_there_is_room_for(monkeypatch, small_extents):
    monkeypatch.setattr(segment_file, "_LEAST_WARM_BYTES", 20_000)
    found = opened(small_extents)
    rows = np.arange(0, 10_000, 500)
    for _ in range(2):
        table = found.take(rows, ["id", "word"])
        assert table.column("id").to_pylist() == rows.tolist()
        assert table.column("word").to_pylist() == [WORDS[row].as_py() for row in rows.tolist()]
    assert 0 < sum(size for _, size in found._columns.opened._kept._kept.values()) <= 20_000


@pytest.mark.parametrize(
    ("start", "stop"), [(0, 10_000), (990, 1010), (0, 0), (5, 5), (10_000, 10_000), (9_999, 10_000), (100, 9_000)]
)
def test_a_range_of_rows_comes_back(small_extents, start, stop):
    table = opened(small_extents).read_rows(start, stop, ["word", "embedding", "id"])
    assert table.column("id").to_pylist() == list(range(start, stop))
    assert table.column("word").to_pylist() == WORDS.slice(start, stop - start).to_pylist()
    flat = table.column("embedding").combine_chunks().flatten().to_numpy()
    assert np.array_equal(flat.reshape(-1, 3), small_extents.rows.vectors[start:stop])


@pytest.mark.parametrize("stream_bytes", [0, 1 << 30])
def test_blocks_of_a_result_that_leaves_the_caches_are_written_past_them(monkeypatch, stream_bytes):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 3072)
    monkeypatch.setattr(segment_columns, "STREAM_BYTES", stream_bytes)
    streamed, decode = [], integers.decode_kinds

    def watch(*arguments, streams=False):
        streamed.append(streams)
        decode(*arguments, streams=streams)

    monkeypatch.setattr(integers, "decode_kinds", watch)
    numbers = pa.array(np.arange(9216) ** 2)
    found = opened(segment_content(9216, 3, 100, columns={"number": numbers}))
    assert found.read_columns(["number"]).column(0).to_pylist() == numbers.to_pylist()
    # the last vector of a block that is not full is written elsewhere first
    assert streamed.count(True) == (0 if stream_bytes else 3)


@pytest.mark.parametrize("profile", ["hot", "cold"])
@pytest.mark.parametrize("kind", [pa.uint16(), pa.float32(), pa.timestamp("us"), pa.decimal64(18, 2)], ids=str)
def test_whole_blocks_of_numbers_become_one_array_unless_some_are_null(monkeypatch, kind, profile):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 3000)
    # packed, of few values, constant, and too small to be packed
    rows = np.r_[np.arange(3000) % 1000, np.arange(3000) % 7 * 111, np.zeros(3000), np.arange(40)].astype(np.int64)
    numbers = pa.array(rows if pa.types.is_temporal(kind) else rows.astype(np.int16)).cast(kind)
    nulls = pa.array(rows, mask=rows == 5)
    columns = {"number": numbers, "nulls": nulls}
    found = opened(segment_content(len(rows), 3, 100, columns=columns, profile=profile))
    table = found.read_columns(["number", "nulls"])
    assert table.column("number").num_chunks == 1
    assert table.column("number").chunk(0).equals(numbers)
    assert table.column("number").chunk(0).buffers()[1].address % 64 == 0
    assert table.column("nulls").combine_chunks().equals(nulls)
    assert found.read_rows(0, 8000, ["number"]).column(0).combine_chunks().equals(numbers.slice(0, 8000))


def test_the_rows_of_a_bucket_come_back(small_extents):
    found, offsets = opened(small_extents), small_extents.rows.offsets
    for bucket in (0, 35, 69):
        ids = found.read_bucket(bucket, ["id"]).column(0).to_pylist()
        assert ids == list(range(offsets[bucket], offsets[bucket + 1]))


@pytest.mark.parametrize("bucket", [-1, 70])
def test_a_bucket_outside_of_the_segment_is_refused(small_extents, bucket):
    with pytest.raises(InvalidArgumentError, match="no such bucket"):
        opened(small_extents).read_bucket(bucket, ["id"])


def test_zones_bound_the_rows_of_each_block(small_extents):
    found = opened(small_extents)
    zones, blocks = found.zones("id"), [block for block in found.blocks() if block.column == "id"]
    assert [zone.minimum.as_py() for zone in zones] == [block.first_row for block in blocks]
    assert [zone.maximum.as_py() for zone in zones] == [block.first_row + block.n_values - 1 for block in blocks]
    assert [block.zone for block in blocks] == zones


def test_the_vector_has_no_zones(reader):
    with pytest.raises(InvalidArgumentError, match="vectors have no zones"):
        reader.zones("embedding")


def test_the_filter_of_keys_never_denies_one_and_seldom_names_another(reader, large):
    assert reader.maybe_contains(large.rows.fingerprints).all()
    others = np.random.default_rng(3).integers(0, 2**64, (100_000, 2), dtype=np.uint64)
    assert reader.maybe_contains(others).mean() <= 0.011


def test_blocks_are_described_in_the_order_of_the_file(small_extents):
    found = opened(small_extents)
    blocks = found.blocks()
    assert [block.offset for block in blocks] == sorted(block.offset for block in blocks)
    assert [block.type.name for block in blocks[:4]] == ["CODES", "VECTORS", "COLUMN", "COLUMN"]
    assert [block.column for block in blocks[:4]] == [None, "embedding", "id", "word"]
    assert {block.column for block in blocks[-9:]} == {None}
    assert all(block.stored_len == block.encoding.stored_bytes for block in blocks)
    assert sum(block.n_values for block in blocks if block.type is BlockType.VECTORS) == 10_000


def test_no_rows_and_no_columns_are_fine(reader):
    assert reader.take(np.array([], dtype=np.int64), ["word", "category", "embedding"]).num_rows == 0
    assert reader.take(np.array([1]), []).num_columns == 0
    assert reader.vectors(np.array([], dtype=np.int64)).shape == (0, 600)


@pytest.mark.parametrize("rows", [[-1], [10_000], [0, 1 << 40]])
def test_rows_outside_of_the_segment_are_refused(reader, rows):
    with pytest.raises(InvalidArgumentError, match="outside"):
        reader.take(np.array(rows), ["word"])
    with pytest.raises(InvalidArgumentError, match="outside"):
        reader.vectors(np.array(rows))


@pytest.mark.parametrize(("start", "stop"), [(-1, 5), (5, 4), (0, 10_001)])
def test_a_range_outside_of_the_segment_is_refused(reader, start, stop):
    with pytest.raises(InvalidArgumentError, match="outside"):
        reader.raw_vectors(start, stop)


def test_an_unknown_column_is_refused_by_name(reader):
    with pytest.raises(InvalidArgumentError, match="no such column; got=\\['nope'\\]"):
        reader.take(np.array([0]), ["id", "nope"])
    with pytest.raises(InvalidArgumentError, match="no such column"):
        reader.read_columns(["nope"])


def test_categories_past_a_small_index_type_come_back_in_several_chunks():
    halves = [pa.array([f"{part} {i}" for i in range(100)]).dictionary_encode() for part in "ab"]
    column = pa.chunked_array([half.cast(pa.dictionary(pa.int8(), pa.string())) for half in halves])
    found = opened(segment_content(200, columns={"category": column}))
    for table in (found.take(np.arange(200), ["category"]), found.read_columns(["category"])):
        assert table.column(0).type == column.type
        assert table.column(0).to_pylist() == column.to_pylist()


def test_a_read_only_memory_map_is_read_in_place_and_kept_alive(tmp_path):
    content = segment_content()
    data, _ = segment_bytes(content)
    (tmp_path / "s").write_bytes(data)
    with (tmp_path / "s").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    norms = SegmentReader(memoryview(mapped), "p").norms
    with pytest.raises(BufferError):
        mapped.close()
    del mapped
    gc.collect()
    assert np.array_equal(norms, content.rows.norms)


def test_a_map_is_free_as_soon_as_its_reader_is_gone(tmp_path):
    (tmp_path / "s").write_bytes(segment_bytes(segment_content())[0])
    with (tmp_path / "s").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    gc.disable()
    try:
        found = SegmentReader(mapped, "p")
        found.take(np.array([1]), ["id", "embedding"])
        found.blocks()
        found.verify()
        del found
        mapped.close()
    finally:
        gc.enable()


def resident_bytes(path):
    """Bytes of the maps of a file that are in the memory of this process."""
    mapped, size = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            mapped = line.endswith(str(path))
        elif mapped and line.startswith("Rss:"):
            size += int(line.split()[1]) << 10
    return size


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs the accounts of Linux")
def test_an_opened_map_takes_no_memory_until_it_is_read(tmp_path, large):
    data, summary = segment_bytes(large)
    (tmp_path / "s").write_bytes(data)
    with (tmp_path / "s").open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    found = SegmentReader(mapped, "p", summary.size_bytes, summary.digest)
    assert resident_bytes(tmp_path / "s") == 0
    assert np.array_equal(found.norms, large.rows.norms)
    assert 0 < resident_bytes(tmp_path / "s") < len(data) // 4


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs the accounts of Linux")
def test_single_rows_leave_little_of_the_file_in_memory(tmp_path):
    n_rows = 40_000
    price = np.random.default_rng(0).normal(size=n_rows)
    data, summary = segment_bytes(segment_content(n_rows, 64, 70, columns={"price": pa.array(price)}))
    storage = LocalStorage(tmp_path)
    (tmp_path / "s").write_bytes(data)
    found = SegmentReader(storage.map("s"), "s", summary.size_bytes, summary.digest)
    for rows in np.random.default_rng(1).integers(0, n_rows, (300, 40)):
        assert np.array_equal(found.take(rows, ["price"]).column(0).to_numpy(), price[rows])
        found.vectors(rows)
    assert resident_bytes(tmp_path / "s") < len(data) // 5


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs the accounts of Linux")
def test_tables_that_were_copied_leave_the_memory_and_can_still_be_read(tmp_path, large):
    data, summary = segment_bytes(large)
    (tmp_path / "s").write_bytes(data)
    found = SegmentReader(LocalStorage(tmp_path).map("s"), "s", summary.size_bytes, summary.digest)
    assert found.norms.sum() == large.rows.norms.sum()
    read = resident_bytes(tmp_path / "s")
    found.release_tables()
    assert resident_bytes(tmp_path / "s") < read
    assert np.array_equal(found.norms, large.rows.norms)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="needs the accounts of Linux")
@pytest.mark.parametrize("decades", [0, 30])
def test_vectors_leave_little_of_the_file_in_memory_however_many_are_read(tmp_path, decades):
    """Whether they are encoded, or, as numbers of all sizes, plain."""
    n_rows = 40_000
    random = np.random.default_rng(0)
    scale = 10.0 ** random.uniform(-decades, decades, (n_rows, 64))
    vectors = (random.normal(size=(n_rows, 64)) * scale).astype(np.float32)
    data, summary = segment_bytes(segment_content(n_rows, 64, 70, vectors=vectors))
    storage = LocalStorage(tmp_path)
    (tmp_path / "s").write_bytes(data)
    found = SegmentReader(storage.map("s"), "s", summary.size_bytes, summary.digest)
    for rows in random.integers(0, n_rows, (100, 40)):
        assert found.vectors(rows).tobytes() == vectors[rows].tobytes()
    assert resident_bytes(tmp_path / "s") < len(data) // 5
    rows = random.permutation(n_rows)[: n_rows // 2]
    assert found.vectors(rows).tobytes() == vectors[rows].tobytes()
    assert resident_bytes(tmp_path / "s") < len(data) // 5
    codecs = {block.codec for block in found.blocks() if block.type == BlockType.VECTORS}
    assert (codecs == {CodecId.PLAIN}) == (decades > 0)


def test_a_map_whose_file_was_cut_off_is_damage_where_it_is_read(tmp_path):
    content = segment_content(9000, 64, 70, columns={"price": pa.array(np.random.default_rng(0).normal(size=9000))})
    (tmp_path / "s").write_bytes(segment_bytes(content)[0])
    found = SegmentReader(LocalStorage(tmp_path).map("s"), "s")
    rows = np.arange(0, 9000, 300)
    assert np.array_equal(found.vectors(rows), content.rows.vectors[rows])
    found.take(rows, ["price"])
    os.truncate(tmp_path / "s", 4096)
    with pytest.raises(CorruptionError, match="vectors cannot be read"):
        found.vectors(rows)
    with pytest.raises(CorruptionError, match="a column cannot be read; column='price'"):
        found.take(rows, ["price"])


def test_the_file_of_a_map_is_closed_with_it(tmp_path):
    (tmp_path / "s").write_bytes(segment_bytes(segment_content())[0])
    mapped = LocalStorage(tmp_path).map("s")
    assert isinstance(mapped.obj, FileMap)
    descriptor = mapped.obj.descriptor
    os.fstat(descriptor)
    del mapped
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_many_threads_read_at_once(large):
    found = opened(large)
    rows = np.random.default_rng(6).integers(0, 10_000, (16, 50))
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda some: found.take(some, ["id", "word"]), rows))
    assert [table.column("id").to_pylist() for table in tables] == rows.tolist()


def test_verify_accepts_what_a_writer_wrote(reader):
    reader.verify()
