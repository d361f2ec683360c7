"""Arrow makes no empty table of run-end encoded views, which broke recovery, conditions and schemas over the wire."""

import polars as pl
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.server.tables import decode_schema, encode_schema
from tests.tables import create, make_table


@pytest.fixture
def table():
    rows = make_table(6)
    runs = pa.RunEndEncodedArray.from_arrays(
        pa.array([2, 5, 6], pa.int32()), pa.array(["q", None, "r"], pa.string_view())
    )
    return rows.append_column("runs", runs)


def test_a_deletion_in_the_log_is_replayed(tmp_path, table):
    with drift.connect(str(tmp_path)) as db, create(db, table=table) as docs:
        docs.add(table)
        docs.flush()
        docs.delete(keys=[1])
    with drift.connect(str(tmp_path)) as db, db.collection("docs") as docs:
        found = docs.get([0, 2, 5])
        assert len(docs) == 5
        assert found["runs"].to_pylist() == ["q", None, "r"]


def test_a_condition_on_another_column_is_evaluated(tmp_path, table):
    with drift.connect(str(tmp_path)) as db, create(db, table=table) as docs:
        docs.add(table)
        docs.delete(where=pl.col("id") >= 4)
        assert sorted(docs.get([0, 1, 2, 3])["id"].to_pylist()) == [0, 1, 2, 3]
        assert len(docs) == 4


def test_a_schema_travels(table):
    assert decode_schema(encode_schema(table.schema)).equals(table.schema, check_metadata=True)
