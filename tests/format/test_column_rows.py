"""Rows of a segment that are asked for again and again are those of its columns, whichever way they are found."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.format import column_rows, segment_extent, segment_file
from drift_arrow.format.column_rows import take_known
from drift_arrow.format.segment_columns import SegmentColumns
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.format.segment_vectors import SegmentVectors
from drift_arrow.format.warm_column import _COLD_TAKES, WarmColumn
from drift_arrow.kernels._check import readonly
from drift_arrow.kernels.float_part import PARTS
from drift_arrow.kernels.float_points import gather_floats
from drift_arrow.kernels.row_table import DONE
from tests.format.columns import long_arrays, store
from tests.format.samples import same, segment_bytes, segment_content

N_ROWS = 3000
COLUMNS = long_arrays(N_ROWS)


@pytest.fixture(scope="module")
def content():
    return segment_content(N_ROWS, 40, 70, columns=COLUMNS)


@pytest.fixture(scope="module")
def data(content):
    with pytest.MonkeyPatch.context() as patch:
        # seven extents, so that there are as many blocks of each column
        patch.setattr(segment_extent, "EXTENT_ROWS", 500)
        return segment_bytes(content)[0]


@pytest.fixture
def reader(data):
    return SegmentReader(data, "p")


@pytest.fixture(scope="module")
def warm(data):
    """Every block was asked for so often that it is as quick as it will be."""
    with pytest.MonkeyPatch.context() as patch:
        # room for all columns
        patch.setattr(segment_file, "_LEAST_WARM_BYTES", 64 << 20)
        found = SegmentReader(data, "p")
    for _ in range(_COLD_TAKES + 2):
        found.take(np.arange(0, N_ROWS, 50), found.schema.names)
    return found


def block_by_block(monkeypatch):
    """Names of the columns whose rows are not found by their table."""
    asked, take = [], SegmentColumns._take_blocks

    def noting(columns, rows, names):
        asked.extend(names)
        return take(columns, rows, names)

    monkeypatch.setattr(SegmentColumns, "_take_blocks", noting)
    return asked


def is_single(name):
    return column_rows.ColumnRows.supports(COLUMNS[name].type)


@pytest.mark.parametrize("name", COLUMNS)
def test_rows_of_every_type_come_back_in_any_order(warm, name):
    for rows in (np.array([2999, 0, 700, 700, 3]), np.array([1]), np.random.default_rng(0).integers(0, N_ROWS, 64)):
        found = warm.take(rows, [name]).column(name)
        assert found.type == COLUMNS[name].type
        assert same(found.combine_chunks(), pa.chunked_array([COLUMNS[name]]).take(rows).combine_chunks())
        found.validate(full=True)


@pytest.mark.parametrize("name", [name for name in COLUMNS if is_single(name)])
def test_rows_of_open_blocks_are_found_without_a_look_at_the_blocks(warm, name, monkeypatch):
    asked = block_by_block(monkeypatch)
    warm.take(np.array([2999, 0, 1700]), [name])
    assert not asked


@given(rows=st.lists(st.integers(0, N_ROWS - 1), max_size=80))
def test_tables_of_several_columns_come_back_in_any_order(warm, content, rows):
    rows = np.array(rows, np.int64)
    names = ["id", *list(COLUMNS)[:5], "embedding"]
    table = warm.take(rows, names)
    assert table.schema.names == names
    assert table.schema.metadata == content.spec.schema.metadata
    assert table.column("id").to_pylist() == rows.tolist()
    assert np.array_equal(warm.vectors(rows), content.rows.vectors[rows])


def test_columns_come_in_the_order_asked_for_and_twice(warm):
    for names in (["id", "embedding"], ["embedding", "id"], ["id", "id"], ["id"], []):
        assert warm.take(np.array([3, 1]), names).column_names == names


def test_a_block_that_was_not_asked_for_is_opened_when_it_is(reader, content):
    for rows in ([0, 1], [2999, 0], [1, 1500, 2998]):
        assert reader.take(np.array(rows), ["id"]).column(0).to_pylist() == rows
        assert np.array_equal(reader.vectors(np.array(rows)), content.rows.vectors[rows])


def test_many_rows_are_found_by_the_block(warm, monkeypatch):
    asked = block_by_block(monkeypatch)
    rows = np.random.default_rng(0).integers(0, N_ROWS, 1000)
    assert warm.take(rows, ["id"]).column(0).to_pylist() == rows.tolist()
    assert asked == ["id"]


def test_strings_too_long_for_one_array_come_in_several(warm, monkeypatch):
    monkeypatch.setattr(column_rows, "MAX_PIECE_BYTES", 1)
    asked = block_by_block(monkeypatch)
    rows = np.array([5, 2000])
    assert warm.take(rows, ["string"]).column(0).to_pylist() == COLUMNS["string"].take(rows).to_pylist()
    assert asked == ["string"]


def test_vectors_of_open_blocks_are_found_without_a_look_at_the_blocks(warm, content, monkeypatch):
    rows = np.array([2999, 0, 1700, 0])
    warm.vectors(np.arange(0, N_ROWS, 100))
    monkeypatch.delattr(SegmentVectors, "_learn")
    assert np.array_equal(warm.vectors(rows), content.rows.vectors[rows])


@pytest.mark.parametrize("profile", ["hot", "cold"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_vectors_of_every_stored_type_come_back(dtype, profile):
    made = segment_content(300, 50, dtype=dtype, profile=profile)
    found, rows = SegmentReader(segment_bytes(made)[0], "p"), np.array([299, 0, 7, 7])
    for _ in range(3):
        assert np.array_equal(found.vectors(rows), made.rows.vectors[rows].astype(np.float32))


def test_what_gave_way_is_not_kept_alive_by_what_finds_rows(reader, monkeypatch, data):
    monkeypatch.setattr(segment_file, "_LEAST_WARM_BYTES", 30_000)
    monkeypatch.setattr(segment_file, "_WARM_SHARE", 1 << 40)
    found, opened = SegmentReader(data, "p"), []
    for start in [*range(0, N_ROWS, 400)] * 20:
        rows = np.arange(start, start + 3)
        assert found.take(rows, ["string"]).column(0).to_pylist() == COLUMNS["string"].take(rows).to_pylist()
        opened += [weakref.ref(block) for block, _ in found._columns.opened._kept._kept.values()]
    gc.collect()
    alive = {id(ref()) for ref in opened if ref() is not None}
    assert alive == {id(block) for block, _ in found._columns.opened._kept._kept.values()}
    assert 0 < len(alive) < 7


@pytest.mark.parametrize("name", ["bool", "list", "struct", "decimal256"])
def test_rows_without_one_place_in_memory_have_no_line(name):
    block = WarmColumn(store(COLUMNS[name]).open())
    for _ in range(_COLD_TAKES + 2):
        block.take(np.array([3]))
    assert block.line() is None


def test_many_threads_warm_the_same_blocks_at_once(data, content):
    found = SegmentReader(data, "p")
    batches = np.random.default_rng(6).integers(0, N_ROWS, (200, 10))

    def ask(rows):
        table = found.take(rows, ["id", "string"])
        assert table.column("id").to_pylist() == rows.tolist()
        assert table.column("string").to_pylist() == COLUMNS["string"].take(rows).to_pylist()
        assert np.array_equal(found.vectors(rows), content.rows.vectors[rows])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, batches))


def test_kernels_find_vectors_by_the_table_of_the_reader(warm, content):
    warm.vectors(np.arange(0, N_ROWS, 100))
    rows, out = readonly("rows", np.array([2999, 0, 1700]), np.int64, 3), np.empty((3, 40), np.float32)
    table, parts, room = warm.vector_table, np.empty(PARTS, np.uint16), np.empty(1024, np.uint32)
    status = gather_floats(table.first_rows, table.blocks, rows, 40, parts, room, out.view(np.uint32))
    assert status == DONE
    assert np.array_equal(out, content.rows.vectors[rows])


def test_there_is_no_table_of_vectors_of_another_type():
    assert SegmentReader(segment_bytes(segment_content(dtype=np.float64))[0], "p").vector_table is None


def test_rows_of_a_column_are_found_by_the_table_of_the_reader_once_their_blocks_are_open(data):
    found = SegmentReader(data, "p")
    assert found.column_table("id") is None
    rows = np.array([2999, 0, 1700])
    found.take(rows, ["id"])
    table = found.column_table("id")
    assert table is not None
    assert pa.array(rows).equals(take_known(table, pa.int64(), rows))
