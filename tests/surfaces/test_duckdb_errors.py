"""What goes wrong in SQL is told by DuckDB in our words."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from drift_arrow import duckdb_udf
from drift_arrow.duckdb_udf import source
from tests.surfaces.duck import make_collection, make_table

QUERY = [0.5] * 8


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_collection(tmp_path_factory.mktemp("errors"), make_table(100))


@pytest.fixture
def con():
    with duckdb_udf.register(duckdb.connect()) as connection:
        yield connection


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("[1.0, 2.0]", "wrong dimension"),
        ("[]", "wrong dimension"),
        ("''::BLOB", "wrong dimension"),
        ("NULL", "the query vector is NULL"),
        ("[1, NULL]", "holds a NULL: give numbers only; position=1"),
        ("[NULL]", "holds a NULL"),
        ("['a', 'b']", "holds numbers; got='string'"),
        ("[[1.0], [2.0]]", "holds numbers"),
        ("[true]", "holds numbers; got='bool'"),
        ("'[1, 2]'", "list or array of numbers, or a BLOB"),
        ("3.5", "list or array of numbers, or a BLOB"),
        ("{'a': 1}", "list or array of numbers, or a BLOB"),
        (r"'\x01\x02\x03'::BLOB", "4 bytes each; bytes=3"),
        (f"{['NaN'] * 8}::FLOAT[]", "NaN"),
        (f"{[1e300] * 8}", "infinity"),
        (f"{QUERY}, k := 0", "10000; got=0"),
        (f"{QUERY}, k := 10001", "got=10001"),
        (f"{QUERY}, k := -1", "got=-1"),
        (f"{QUERY}, filter := 'nope = 1'", "nope"),
        (f"{QUERY}, filter := 'year ='", "where"),
        (f"{QUERY}, filter := ''", "where"),
        (f"{QUERY}, filter := 'year'", "where"),
        (f"{QUERY}, nope := 1", "nope"),
    ],
)
def test_a_wrong_argument_of_a_search_is_named(con, path, arguments, message):
    with pytest.raises(duckdb.Error, match=message):
        con.execute(f"FROM drift_search('{path}', {arguments})").fetchall()


@pytest.mark.parametrize("call", ["drift_scan('{}')", "drift_search('{}', [1.0])"])
def test_a_missing_collection_is_named(con, path, call):
    missing = path.removesuffix("docs") + "letters"
    with pytest.raises(duckdb.Error, match=r"no such collection; got='letters' existing=\['docs'\]"):
        con.sql(f"FROM {call.format(missing)}")


@pytest.mark.parametrize("call", ["drift_scan('{}')", "drift_search('{}', [1.0])"])
@pytest.mark.parametrize("bad", ["", "../x", "memory://", "ftp://x/y"])
def test_a_path_that_can_be_no_collection_is_refused(con, call, bad):
    with pytest.raises(duckdb.Error, match="got="):
        con.sql(f"FROM {call.format(bad)}")


@pytest.mark.parametrize("call", ["drift_scan(NULL)", "drift_search(NULL, [1.0])"])
def test_a_null_path_is_refused(con, call):
    with pytest.raises(duckdb.Error, match=r"argument 1 \(uri\) is NULL"):
        con.sql(f"FROM {call}")


def test_a_zero_query_has_no_cosine(con, tmp_path):
    path = make_collection(tmp_path, make_table(10), metric="cosine")
    with pytest.raises(duckdb.Error, match="cosine"):
        con.execute("FROM drift_search(?, ?)", [path, [0.0] * 8]).fetchall()


def test_a_type_that_duckdb_lacks_is_named_with_its_column(con, tmp_path):
    table = make_table(5).append_column("big", pa.array([1] * 5, pa.decimal256(60, 2)))
    path = make_collection(tmp_path, table)
    for call in (f"drift_scan('{path}')", f"drift_search('{path}', {QUERY})"):
        with pytest.raises(duckdb.Error, match=r"column='big' type='decimal256\(60, 2\)'"):
            con.sql(f"FROM {call}")


def test_a_value_that_duckdb_cannot_hold_is_an_error(con, tmp_path):
    late = pa.array([2**62] * 5, pa.timestamp("s", "UTC"))
    path = make_collection(tmp_path, make_table(5).append_column("late", late))
    with pytest.raises(duckdb.Error, match="Could not convert"):
        con.execute(f"SELECT late FROM drift_scan('{path}')").fetchall()
    assert con.execute(f"SELECT count(id) FROM drift_scan('{path}')").fetchall() == [(5,)]


def test_a_surprise_in_our_code_is_an_error_too(con, path, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(source.ScanSource, "batches", fail)
    with pytest.raises(duckdb.Error, match="ZeroDivisionError: surprise"):
        con.execute(f"FROM drift_scan('{path}')").fetchall()


def test_a_connection_survives_its_errors(con, path):
    con.execute("BEGIN")
    con.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with pytest.raises(duckdb.Error):
        con.execute("FROM drift_scan('memory://nothing/here')")
    con.execute("ROLLBACK")
    assert con.execute(f"SELECT count(*) FROM drift_scan('{path}')").fetchall() == [(100,)]


def test_text_does_not_end_at_a_nul(con, path):
    sql = "SELECT count(*) FROM drift_search(?, ?, k := 50, filter := 'id < 10' || chr(0) || ' AND id < 3')"
    with pytest.raises(duckdb.Error, match="where"):
        con.execute(sql, [path, QUERY])


def test_a_path_without_a_database_is_refused(con):
    with pytest.raises(duckdb.Error, match="memory://name/docs"):
        con.execute("FROM drift_scan('memory://docs')")
