"""`drift_scan` in SQL."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from drift_arrow import duckdb_udf
from drift_arrow.duckdb_udf import handles
from drift_arrow.duckdb_udf.source import ScanSource
from drift_arrow.engine import Collection
from tests.surfaces.duck import N_ROWS, make_collection, make_table


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_collection(tmp_path_factory.mktemp("scan"))


@pytest.fixture
def con():
    with duckdb_udf.register(duckdb.connect()) as connection:
        yield connection


@pytest.fixture
def reads(monkeypatch):
    """(columns, rows) of every batch that the engine reads."""
    seen = []
    original = Collection.to_batches

    def spy(self, columns=None, *rest):
        for batch in original(self, columns, *rest):
            seen.append((list(columns), batch.num_rows))
            yield batch

    monkeypatch.setattr(Collection, "to_batches", spy)
    return seen


def test_every_row_comes_back_unchanged(con, path):
    found = con.sql(f"FROM drift_scan('{path}')").to_arrow_table().sort_by("id")
    expected = make_table()
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        assert found[name].to_pylist() == expected[name].to_pylist()


def test_rows_in_the_memtable_are_scanned(con, tmp_path):
    path = make_collection(tmp_path, make_table(50), flush=False)
    assert con.sql(f"SELECT sum(id) FROM drift_scan('{path}')").fetchall() == [(sum(range(50)),)]


def test_the_vector_is_a_fixed_size_array(con, path):
    (row,) = con.sql(f"SELECT v FROM drift_scan('{path}') WHERE id = 4321").fetchall()
    np.testing.assert_array_equal(np.float32(row[0]), make_table()["v"][4321].as_py())


def test_only_the_wanted_columns_are_read(con, path, reads):
    con.sql(f"SELECT max(price) FROM drift_scan('{path}') WHERE year = 2003").fetchall()
    assert {tuple(sorted(columns)) for columns, _ in reads} == {("price", "year")}


def test_counting_reads_the_key_alone(con, path, reads):
    assert con.sql(f"SELECT count(*) FROM drift_scan('{path}')").fetchall() == [(N_ROWS,)]
    assert {tuple(columns) for columns, _ in reads} == {("id",)}


def test_a_limit_stops_the_reading(con, tmp_path, reads):
    path = make_collection(tmp_path, make_table(40_000))
    assert len(con.sql(f"SELECT id FROM drift_scan('{path}') LIMIT 3").fetchall()) == 3
    assert sum(rows for _, rows in reads) <= 16_384


def test_rows_are_read_a_part_at_a_time(path):
    batches = list(ScanSource.of(path).batches(["id"]))
    assert sum(batch.num_rows for batch in batches) == N_ROWS


def test_an_empty_collection_has_its_columns_and_no_rows(con, tmp_path):
    path = make_collection(tmp_path, make_table(0))
    assert con.sql(f"FROM drift_scan('{path}')").columns == make_table(0).column_names
    assert con.sql(f"FROM drift_scan('{path}')").fetchall() == []
    assert con.sql(f"FROM drift_search('{path}', {[0.0] * 8})").fetchall() == []


def test_a_scan_joins_a_search(con, path):
    query = make_table()["v"][77].as_py()
    sql = f"SELECT s.id, d.v FROM drift_search('{path}', ?, k := 1) s JOIN drift_scan('{path}') d USING (id)"
    assert con.execute(sql, [query]).fetchall() == [(77, tuple(query))]


def test_aggregates_are_right(con, path):
    sql = f"SELECT year, count(*), count(title), sum(price) FROM drift_scan('{path}') GROUP BY year ORDER BY year"
    frame = make_table(N_ROWS).select(["year", "title", "price"]).to_pandas()
    groups = frame.groupby("year").agg(rows=("year", "size"), titles=("title", "count"), price=("price", "sum"))
    assert con.sql(sql).fetchall() == [
        (year, row.rows, row.titles, pytest.approx(row.price)) for year, row in groups.iterrows()
    ]


def test_nothing_is_held_once_a_result_is_gone(con, path):
    before = handles.count()
    for sql in (f"FROM drift_scan('{path}')", f"SELECT id FROM drift_scan('{path}') LIMIT 3"):
        con.execute(sql).fetchall()
    con.execute("SELECT 1").fetchall()
    assert handles.count() == before
