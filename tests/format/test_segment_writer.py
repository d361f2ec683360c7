from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.format import (
    column_writer,
    segment_extent,
    segment_footer,
    segment_sink,
    segment_spec,
    segment_tables,
    segment_writer,
)
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, BlockType
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.segment_writer import SegmentWriter, write_segment
from tests.format.samples import segment_bytes, segment_content


def blocks_of(reader, block_type, column=0xFFFF):
    return reader._file.index.entries[reader._file.index.blocks(block_type, column)]


def test_the_summary_is_that_of_the_bytes_that_were_written():
    data, summary = segment_bytes(segment_content())
    assert summary.size_bytes == len(data)
    assert summary.digest == xxhash.xxh3_128_hexdigest(data)


def test_the_same_content_gives_the_same_bytes():
    assert segment_bytes(segment_content())[0] == segment_bytes(segment_content())[0]


def test_every_content_gets_its_own_uuid_unless_told():
    given = {field.name: getattr(segment_content().spec, field.name) for field in fields(SegmentSpec)}
    del given["uuid"]
    assert SegmentSpec(**given).uuid != SegmentSpec(**given).uuid


def test_blocks_start_on_pages():
    data, _ = segment_bytes(segment_content())
    offsets = SegmentReader(data, "p")._file.index.offsets
    assert (offsets % PAGE_BYTES == 0).all()
    assert len(data) % PAGE_BYTES == HEADER_BYTES


def test_no_buffer_is_larger_than_a_block(monkeypatch):
    for module in (segment_sink, segment_tables, column_writer):
        monkeypatch.setattr(module, "MAX_BLOCK_BYTES", 4096)
    monkeypatch.setattr(segment_writer, "VECTOR_BLOCK_BYTES", 1024)
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 300)
    sizes = []
    write_segment(lambda buffer: sizes.append(len(buffer)), segment_content(1000, n_buckets=50))
    assert max(sizes) <= 8192


def test_tables_of_several_blocks_come_back(monkeypatch):
    for module in (segment_sink, segment_tables):
        monkeypatch.setattr(module, "MAX_BLOCK_BYTES", 96)
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 30)
    content = segment_content(1000, n_buckets=50)
    reader = SegmentReader(segment_bytes(content)[0], "p")
    for name in ("offsets", "centroids", "lo", "step", "norms"):
        assert np.array_equal(getattr(reader, name), getattr(content.rows, name))
    assert np.array_equal(reader.sorted_fingerprints, content.rows.fingerprints[reader.key_order])
    assert reader.maybe_contains(content.rows.fingerprints).all()
    for kind in (BlockType.FINGERPRINTS, BlockType.BLOOM, BlockType.ZONES):
        assert len(blocks_of(reader, kind)) > 1
    assert [zone.null_count for zone in reader.zones("id")] == [0] * len(reader.zones("id"))


def test_an_extent_holds_whole_buckets(monkeypatch):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 150)
    content = segment_content(1000, 4, 20)
    reader = SegmentReader(segment_bytes(content)[0], "p")
    entries = blocks_of(reader, BlockType.CODES)
    assert len(entries) > 6
    assert set(entries["first_row"].tolist()) <= set(content.rows.offsets.tolist())
    assert entries["n_values"].max() <= 150
    for first, second in zip(entries["n_values"], entries["n_values"][1:], strict=False):
        assert first + second > 100


def test_an_extent_has_a_bounded_number_of_bytes(monkeypatch):
    monkeypatch.setattr(segment_extent, "EXTENT_VECTOR_BYTES", 150 * 4 * 4)
    reader = SegmentReader(segment_bytes(segment_content(1000, 4, 20))[0], "p")
    assert 100 < blocks_of(reader, BlockType.CODES)["n_values"].max() <= 150


def test_a_bucket_larger_than_an_extent_is_one_of_its_own(monkeypatch):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 10)
    monkeypatch.setattr(column_writer, "EXTENT_ROWS", 10)
    monkeypatch.setattr(segment_writer, "VECTOR_BLOCK_BYTES", 10 * 12)
    offsets = np.array([0, 3, 5, 5, 33, 34, 40, 40], dtype=np.int64)
    content = segment_content(n_buckets=7, offsets=offsets)
    reader = SegmentReader(segment_bytes(content)[0], "p")
    assert blocks_of(reader, BlockType.CODES)["first_row"].tolist() == [0, 5, 33]
    assert blocks_of(reader, BlockType.VECTORS)["first_row"].tolist() == [0, 5, 15, 25, 33]
    assert blocks_of(reader, BlockType.COLUMN, 0)["first_row"].tolist() == [0, 5, 15, 25, 33]
    assert np.array_equal(reader.raw_vectors(0, 40), content.rows.vectors)
    assert reader.read_columns(["id"]).column(0).to_pylist() == list(range(40))


def test_extents_one_by_one_give_the_same_bytes_as_all_at_once(monkeypatch):
    monkeypatch.setattr(segment_extent, "EXTENT_ROWS", 150)
    content = segment_content(1000, 4, 20)
    data = bytearray()
    writer = SegmentWriter(data.extend, content.spec)
    for extent in content.rows.cut():
        writer.append(extent)
    summary = writer.finish()
    assert (bytes(data), summary) == segment_bytes(content)


def test_a_segment_without_rows_is_refused():
    writer = SegmentWriter(len, segment_content().spec)
    with pytest.raises(InvalidArgumentError, match="append an extent"):
        writer.finish()


def test_an_extent_with_too_many_codes_is_refused_before_it_is_written(monkeypatch):
    monkeypatch.setattr(segment_writer, "MAX_BLOCK_BYTES", 119)
    written: list[object] = []
    writer = SegmentWriter(written.append, segment_content().spec)
    n_written = len(written)
    with pytest.raises(InvalidArgumentError, match="extent is too large: cut it; code_bytes=120"):
        writer.append(segment_content().rows)
    assert len(written) == n_written


def test_a_bucket_larger_than_a_block_asks_for_a_split(monkeypatch):
    monkeypatch.setattr(segment_extent, "MAX_BLOCK_BYTES", 10)
    written: list[object] = []
    with pytest.raises(InvalidArgumentError, match="split the largest bucket"):
        write_segment(written.append, segment_content())
    assert written == []


def test_empty_buckets_are_fine():
    offsets = np.array([0, 0, 40, 40, 40], dtype=np.int64)
    content = segment_content(offsets=offsets)
    reader = SegmentReader(segment_bytes(content)[0], "p")
    assert reader.offsets.tolist() == offsets.tolist()


def test_a_column_of_large_values_gets_fewer_rows_per_block(monkeypatch):
    monkeypatch.setattr(column_writer, "MAX_BLOCK_BYTES", 20_000)
    values = pa.array([bytes([row]) * 3000 for row in range(40)])
    reader = SegmentReader(segment_bytes(segment_content(columns={"blob": values}))[0], "p")
    entries = blocks_of(reader, BlockType.COLUMN, 2)
    assert entries["n_values"].max() < 7
    assert entries["n_values"].sum() == 40
    assert reader.take(np.array([39, 0, 20]), ["blob"]).column(0).to_pylist() == [
        values[i].as_py() for i in (39, 0, 20)
    ]


def test_other_columns_keep_their_rows_per_block(monkeypatch):
    monkeypatch.setattr(column_writer, "MAX_BLOCK_BYTES", 20_000)
    values = pa.array([bytes([row]) * 3000 for row in range(40)])
    reader = SegmentReader(segment_bytes(segment_content(columns={"blob": values}))[0], "p")
    assert len(blocks_of(reader, BlockType.COLUMN, 0)) == 1


def test_views_into_a_shared_buffer_do_not_shrink_blocks(monkeypatch):
    monkeypatch.setattr(column_writer, "MAX_BLOCK_BYTES", 40_000)
    shared = pa.array([f"a value that is longer than a view {row}" for row in range(10_000)], pa.string_view())
    content = segment_content(500, columns={"text": shared.slice(4000, 500)})
    reader = SegmentReader(segment_bytes(content)[0], "p")
    assert len(blocks_of(reader, BlockType.COLUMN, 2)) == 1


def test_a_value_larger_than_a_block_is_named(monkeypatch):
    monkeypatch.setattr(column_writer, "MAX_BLOCK_BYTES", 20_000)
    values = pa.array([b"small"] * 17 + [bytes(20_000)] + [b"small"] * 22)
    with pytest.raises(LimitExceededError, match="one value is too large for a block; column='blob' row=17"):
        segment_bytes(segment_content(columns={"blob": values}))


def test_too_many_blocks_for_a_footer_are_refused(monkeypatch):
    monkeypatch.setattr(segment_footer, "MAX_FOOTER_BYTES", 500)
    with pytest.raises(LimitExceededError, match="write fewer rows"):
        segment_bytes(segment_content())


def test_what_the_sink_raises_passes_through():
    def full(_):
        raise OSError(28, "no space left")

    with pytest.raises(OSError, match="no space left"):
        write_segment(full, segment_content())


WRONG = {
    "vectors of integers": {"vectors": np.zeros((40, 3), np.int32)},
    "vectors of complex numbers": {"vectors": np.zeros((40, 3), np.complex64)},
    "flat vectors": {"vectors": np.zeros(120, np.float32)},
    "stacked vectors": {"vectors": np.zeros((2, 20, 3), np.float32)},
    "no dimensions": {
        "schema": segment_content().spec.schema.set(1, pa.field("embedding", pa.list_(pa.float32(), 0))),
        "vectors": np.zeros((40, 0), np.float32),
        "codes": np.zeros((40, 0), np.uint8),
        **dict.fromkeys(["centroids", "lo", "step"], np.zeros((4, 0), np.float32)),
    },
    "no rows": {"vectors": np.zeros((0, 3), np.float32)},
    "other dimensions": {"codes": np.zeros((40, 4), np.uint8)},
    "norms of doubles": {"norms": np.zeros(40, np.float64)},
    "too few fingerprints": {"fingerprints": np.zeros((39, 2), np.uint64)},
    "offsets that do not start at zero": {"offsets": np.array([1, 5, 10, 20, 40])},
    "offsets that do not end at the rows": {"offsets": np.array([0, 5, 10, 20, 39])},
    "offsets that descend": {"offsets": np.array([0, 20, 10, 20, 40])},
    "a table of another length": {"table": pa.table({"id": [1, 2]})},
    "a table of another schema": {"table": pa.table({"id": pa.array(range(40), pa.int32())})},
    "an unknown profile": {"profile": "warm"},
    "an unknown key": {"key": "absent"},
    "an unknown vector": {"vector": "absent"},
    "a column that cannot be stored": {
        "schema": segment_content().spec.schema.append(
            pa.field("u", pa.sparse_union([pa.field("v", pa.string_view())]))
        ),
        "table": segment_content().rows.table.append_column(
            "u",
            pa.UnionArray.from_sparse(pa.array([0] * 40, pa.int8()), [pa.array(["x"] * 40, pa.string_view())], ["v"]),
        ),
    },
    "a vector column of another length": {
        "schema": segment_content().spec.schema.set(1, pa.field("embedding", pa.list_(pa.float32(), 4)))
    },
    "a vector column of lists": {
        "schema": segment_content().spec.schema.set(1, pa.field("embedding", pa.list_(pa.float32())))
    },
    "a vector column of another type": {
        "schema": segment_content().spec.schema.set(1, pa.field("embedding", pa.list_(pa.float64(), 3)))
    },
}


def test_more_columns_than_a_block_header_can_number_are_refused(monkeypatch):
    monkeypatch.setattr(segment_spec, "NO_COLUMN", 1)
    with pytest.raises(InvalidArgumentError, match="columns="):
        segment_bytes(segment_content())


@pytest.mark.parametrize("replaced", WRONG.values(), ids=WRONG)
def test_content_that_does_not_fit_together_is_refused_before_a_byte_is_written(replaced):
    written: list[object] = []
    with pytest.raises(InvalidArgumentError):
        write_segment(written.append, segment_content(**replaced))
    assert written == []
