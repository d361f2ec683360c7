"""`drift_search` in SQL."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pytest

import drift_arrow
from drift_arrow import duckdb_udf
from tests.surfaces.brute_force import DIM, make_matrix, nearest
from tests.surfaces.duck import N_ROWS, make_collection, make_table

MATRIX = make_matrix(N_ROWS)
QUERY = make_matrix(1, seed=2)[0]
NEAREST = nearest(MATRIX, QUERY, 20)
YEAR = 2000 + np.arange(N_ROWS) % 7


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_collection(tmp_path_factory.mktemp("search"))


@pytest.fixture
def con():
    with duckdb_udf.register(duckdb.connect()) as connection:
        yield connection


def ids(con, sql, parameters=None):
    return [row[0] for row in con.execute(sql, parameters).fetchall()]


@pytest.mark.parametrize(
    "query",
    [
        QUERY,
        QUERY.tolist(),
        QUERY.astype(np.float64),
        QUERY.tobytes(),
    ],
    ids=["float32", "list", "float64", "blob"],
)
def test_the_query_may_be_a_parameter(con, path, query):
    assert ids(con, "SELECT id FROM drift_search(?, ?, k := 5, exact := true)", [path, query]) == NEAREST[:5]


def test_the_query_may_be_a_typed_value(con, path):
    for kind in (duckdb.array_type("FLOAT", DIM), duckdb.list_type("DOUBLE")):
        query = duckdb.Value(QUERY.tolist(), kind)
        assert ids(con, "SELECT id FROM drift_search(?, ?, k := 5, exact := true)", [path, query]) == NEAREST[:5]


def test_the_query_may_be_a_named_parameter(con, path):
    hits = con.sql(f"SELECT id FROM drift_search('{path}', $q, k := 5, exact := true)", params={"q": QUERY})
    assert hits.fetchall() == [(row,) for row in NEAREST[:5]]


@pytest.mark.parametrize("cast", ["", "::FLOAT[]", "::DOUBLE[]", f"::FLOAT[{DIM}]", "::DECIMAL(18, 9)[]"])
def test_the_query_may_be_a_literal(con, path, cast):
    sql = f"SELECT id FROM drift_search('{path}', {QUERY.tolist()}{cast}, k := 5, exact := true)"
    assert ids(con, sql) == NEAREST[:5]


@pytest.mark.parametrize("kind", ["TINYINT", "UINTEGER", "BIGINT", "HUGEINT", "DECIMAL(38, 2)", "FLOAT"])
def test_the_query_may_hold_any_kind_of_number(con, path, kind):
    query = [1, 2, 0, 3, 0, 1, 2, 1]
    sql = f"SELECT id FROM drift_search('{path}', {query}::{kind}[], k := 5, exact := true)"
    assert ids(con, sql) == nearest(MATRIX, query, 5)


def test_the_answer_is_that_of_python(con, path):
    found = con.sql("FROM drift_search(?, ?, k := 30)", params=[path, QUERY]).to_arrow_table()
    with drift_arrow.open_path(path, read_only=True) as docs:
        expected = docs.search(QUERY).limit(30).to_arrow()
    assert found.column_names == expected.column_names
    assert found.to_pylist() == expected.to_pylist()


def test_the_columns_are_typed_and_the_distance_is_last(con, path):
    hits = con.sql(f"FROM drift_search('{path}', {QUERY.tolist()})")
    assert dict(zip(hits.columns, map(str, hits.types), strict=True)) == {
        "id": "BIGINT",
        "title": "VARCHAR",
        "year": "INTEGER",
        "price": "DOUBLE",
        "added": "TIMESTAMP",
        "tags": "VARCHAR[]",
        "_distance": "FLOAT",
    }


def test_ten_rows_come_back_by_default(con, path):
    assert len(ids(con, "FROM drift_search(?, ?)", [path, QUERY])) == 10
    assert len(ids(con, "FROM drift_search(?, ?, k := NULL)", [path, QUERY])) == 10


def test_columns_come_in_the_order_of_the_statement(con, path):
    sql = "SELECT _distance, title, id, title AS again FROM drift_search(?, ?, k := 3, exact := true)"
    rows = con.execute(sql, [path, QUERY]).fetchall()
    titles = make_table()["title"].to_pylist()
    assert [row[1:] for row in rows] == [(titles[row], row, titles[row]) for row in NEAREST[:3]]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


@pytest.mark.parametrize("column", ["_distance", "id", "tags"])
def test_a_single_column_can_be_wanted(con, path, column):
    assert len(con.execute(f"SELECT {column} FROM drift_search(?, ?, k := 4)", [path, QUERY]).fetchall()) == 4


def test_rows_can_be_counted_without_a_column(con, path):
    assert ids(con, "SELECT count(*) FROM drift_search(?, ?, k := 17)", [path, QUERY]) == [17]


def test_more_rows_than_one_vector_come_in_order(con, path):
    assert ids(con, "SELECT id FROM drift_search(?, ?, k := 4999, exact := true)", [path, QUERY]) == nearest(
        MATRIX, QUERY, 4999
    )


def test_filter_is_applied_before_the_ranking(con, path):
    sql = "SELECT id FROM drift_search(?, ?, k := 9, filter := 'year = 2003', exact := true)"
    assert ids(con, sql, [path, QUERY]) == nearest(MATRIX, QUERY, 9, allowed=YEAR == 2003)


def test_filter_may_be_a_parameter(con, path):
    sql = "SELECT id FROM drift_search($path, $q, k := $k, filter := $filter, exact := $exact)"
    parameters = {"path": path, "q": QUERY, "k": 9, "filter": "year = 2003", "exact": True}
    assert ids(con, sql, parameters) == nearest(MATRIX, QUERY, 9, allowed=YEAR == 2003)


def test_where_is_applied_after_the_ranking(con, path):
    sql = "SELECT id FROM drift_search(?, ?, k := 20, exact := true) WHERE year = 2003"
    assert ids(con, sql, [path, QUERY]) == [row for row in NEAREST if YEAR[row] == 2003]


def test_a_join_finds_its_rows(con, path):
    con.execute("CREATE TABLE names AS SELECT range AS id, 'n' || range AS name FROM range(5000)")
    sql = "SELECT name FROM drift_search(?, ?, k := 6, exact := true) JOIN names USING (id) ORDER BY _distance"
    assert ids(con, sql, [path, QUERY]) == [f"n{row}" for row in NEAREST[:6]]


def test_two_searches_join(con, path):
    other = make_matrix(1, seed=3)[0]
    sql = "SELECT a.id FROM drift_search(?, ?, k := 4000) a JOIN drift_search(?, ?, k := 4000) b USING (id)"
    found = ids(con, sql, [path, QUERY, path, other])
    assert len(found) == len(set(found)) > 2900


def test_a_common_table_expression_is_grouped(con, path):
    sql = """
        WITH hits AS (SELECT * FROM drift_search(?, ?, k := 20, exact := true))
        SELECT year, count(*) FROM hits GROUP BY year ORDER BY year
    """
    years, counts = np.unique(YEAR[NEAREST], return_counts=True)
    assert con.execute(sql, [path, QUERY]).fetchall() == list(zip(years, counts, strict=True))


def test_a_table_is_made_of_hits(con, path):
    con.execute("CREATE TABLE hits AS FROM drift_search(?, ?, k := 7, exact := true)", [path, QUERY])
    assert ids(con, "SELECT id FROM hits ORDER BY _distance") == NEAREST[:7]


def test_a_prepared_statement_runs_with_other_queries(con, path):
    con.execute(f"PREPARE near AS SELECT id FROM drift_search('{path}', ?, k := 2, exact := true)")
    for query in make_matrix(3, seed=9):
        assert ids(con, f"EXECUTE near({query.tolist()})") == nearest(MATRIX, query, 2)


def test_explain_searches_nothing(con, path):
    plan = con.execute("EXPLAIN FROM drift_search(?, ?)", [path, [1.0]]).fetchall()
    assert "DRIFT_SEARCH" in str(plan).upper()


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_other_metrics_rank_by_theirs(con, tmp_path, metric):
    path = make_collection(tmp_path, make_table(400), metric=metric)
    found = ids(con, "SELECT id FROM drift_search(?, ?, k := 5, exact := true)", [path, QUERY])
    assert found == nearest(MATRIX[:400], QUERY, 5, metric)


@pytest.mark.parametrize("value_type", [pa.float16(), pa.float64()])
def test_vectors_of_other_floats_are_searched(con, tmp_path, value_type):
    table = make_table(300)
    vectors = table["v"].combine_chunks().flatten().to_numpy().astype(value_type.to_pandas_dtype())
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors, value_type), DIM)
    path = make_collection(tmp_path, table.set_column(4, "v", column))
    found = ids(con, "SELECT id FROM drift_search(?, ?, k := 5, exact := true)", [path, QUERY])
    assert found == nearest(vectors.reshape(-1, DIM), QUERY, 5)
    assert (
        con.sql(f"SELECT v FROM drift_scan('{path}')").types[0]
        == f"{'FLOAT' if value_type.bit_width == 16 else 'DOUBLE'}[{DIM}]"
    )
