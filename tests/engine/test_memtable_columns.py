from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drift_arrow.engine.memtable_columns import _JOINED_ROWS, MemtableColumns

SCHEMA = pa.schema({"id": pa.int64(), "text": pa.string()})


def batch_of(start: int, n_rows: int) -> pa.RecordBatch:
    keys = range(start, start + n_rows)
    return pa.record_batch([pa.array(keys, pa.int64()), pa.array([f"row {key}" for key in keys])], schema=SCHEMA)


def filled(sizes: list[int]) -> tuple[MemtableColumns, pa.Table]:
    columns, start = MemtableColumns(SCHEMA), 0
    for size in sizes:
        columns.append(batch_of(start, size))
        start += size
    return columns, pa.Table.from_batches([batch_of(0, start)])


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=40), data=st.data())
def test_rows_come_back_as_they_went_in(sizes, data):
    columns, expected = filled(sizes)
    n_rows = data.draw(st.integers(0, sum(sizes)))
    assert columns.first(n_rows).equals(expected.slice(0, n_rows))
    rows = data.draw(st.lists(st.integers(0, sum(sizes) - 1), min_size=1))
    assert columns.take(np.array(rows), ["text"]).equals(expected.select(["text"]).take(rows))


def test_rows_that_come_one_by_one_end_up_in_few_batches():
    columns, _ = filled([1] * 1000)
    assert columns.first(1000).column(0).num_chunks <= 10


def test_large_batches_stay_as_they_came():
    columns, _ = filled([_JOINED_ROWS, _JOINED_ROWS])
    assert columns.first(2 * _JOINED_ROWS).column(0).num_chunks == 2


@pytest.mark.parametrize(
    "kind",
    [
        pa.string_view(),
        pa.list_view(pa.string()),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.string(), ordered=True),
        pa.struct({"a": pa.list_(pa.dictionary(pa.int32(), pa.string()))}),
        pa.run_end_encoded(pa.int32(), pa.string()),
    ],
    ids=str,
)
def test_batches_of_types_that_are_not_joined_by_copying_stay_apart(kind):
    columns = MemtableColumns(pa.schema({"x": kind}))
    for _ in range(4):
        columns.append(pa.record_batch([pa.nulls(1, kind)], names=["x"]))
    assert columns.first(4)["x"].num_chunks == 4
    assert columns.take(np.array([1, 0]), ["x"])["x"].to_pylist() == [None, None]


@pytest.mark.parametrize(
    "kind",
    [
        pa.decimal128(9, 2),
        pa.large_string(),
        pa.binary(3),
        pa.map_(pa.string(), pa.int64()),
        pa.list_(pa.struct({"a": pa.int8(), "b": pa.list_(pa.float16(), 2)})),
        pa.uuid(),
    ],
    ids=str,
)
def test_batches_of_other_types_are_joined(kind):
    columns = MemtableColumns(pa.schema({"x": kind}))
    for _ in range(4):
        columns.append(pa.record_batch([pa.nulls(1, kind)], names=["x"]))
    assert columns.first(4)["x"].num_chunks == 1
    assert columns.first(4)["x"].to_pylist() == [None] * 4
