"""Rows of a table in any order, for every Arrow type."""

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.format.take import empty_table, take_rows
from tests.format.samples import arrays, same

SAMPLES = arrays()
ROWS = np.array([5, 0, 3, 3, 11, 6])


@pytest.mark.parametrize("array", SAMPLES.values(), ids=SAMPLES)
def test_rows_come_from_all_chunks_in_the_order_asked_for(array):
    table = pa.table({"column": pa.chunked_array([array, array])}).replace_schema_metadata({"owner": "tests"})
    taken = take_rows(table, ROWS)
    assert taken.schema.equals(table.schema, check_metadata=True)
    expected = [array[row % len(array)] for row in ROWS.tolist()]
    assert [repr(value.as_py()) for value in taken.column(0)] == [repr(value.as_py()) for value in expected]


@pytest.mark.parametrize("array", SAMPLES.values(), ids=SAMPLES)
def test_all_rows_of_several_chunks_come_in_the_order_asked_for(array):
    table = pa.table({"column": pa.chunked_array([array.slice(0, 2), array.slice(2, 3)])})
    taken = take_rows(table, np.array([4, 0, 3, 1, 2]))
    assert taken.schema.equals(table.schema)
    assert [repr(value.as_py()) for value in taken.column(0)] == [repr(array[row].as_py()) for row in (4, 0, 3, 1, 2)]


@pytest.mark.parametrize("array", SAMPLES.values(), ids=SAMPLES)
def test_no_rows_of_a_column_have_its_type(array):
    taken = take_rows(pa.table({"column": array}), np.empty(0, dtype=np.int64))
    assert (taken.num_rows, taken.column(0).type) == (0, array.type)


def test_empty_chunks_are_passed_over():
    chunks = [SAMPLES["int64"].slice(0, size) for size in (0, 2, 0, 3, 0)]
    taken = take_rows(pa.table({"column": pa.chunked_array(chunks)}), np.array([4, 2, 1, 0]))
    assert same(taken.column(0), pa.array([None, 0, 1, 0], pa.int64()))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_type_has_a_table_without_rows(name):
    schema = pa.schema([pa.field("x", SAMPLES[name].type, metadata={"k": "v"})], metadata={"owner": "tests"})
    table = empty_table(schema)
    assert table.num_rows == 0
    assert table.schema.equals(schema, check_metadata=True)
