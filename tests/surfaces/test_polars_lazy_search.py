"""`lf.drift.search`."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import drift_arrow.polars_ns  # noqa: F401 - registers the namespace
from drift_arrow.errors import InvalidArgumentError
from tests.surfaces.brute_force import DIM, frame_of, make_frame, make_matrix, nearest, vectors

MATRIX = make_matrix(500)
QUERY = make_matrix(1, seed=2)[0]
ENGINES = ["streaming", "in-memory"]


@pytest.fixture
def frame():
    return make_frame(MATRIX)


def scan(path):
    return pl.scan_parquet(path)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_the_rows_are_those_of_the_data_frame(frame, metric, engine):
    lazy = frame.lazy().drift.search(QUERY, 12, metric=metric)
    assert lazy.collect(engine=engine).equals(frame.drift.search(QUERY, 12, metric=metric))


@pytest.mark.parametrize("engine", ENGINES)
def test_equal_distances_keep_the_order_of_the_frame(engine):
    frame = make_frame(np.repeat(make_matrix(3), 40, axis=0))
    lazy = frame.lazy().drift.search(np.zeros(DIM), 50)
    assert lazy.collect(engine=engine).equals(frame.drift.search(np.zeros(DIM), 50))


@pytest.mark.parametrize("include_vector", [False, True])
@pytest.mark.parametrize("query", [QUERY, make_matrix(3, seed=3)])
def test_the_schema_is_known_before_the_rows(frame, query, include_vector):
    lazy = frame.lazy().drift.search(query, 3, include_vector=include_vector)
    assert lazy.collect_schema() == lazy.collect().schema
    assert lazy.collect().equals(frame.drift.search(query, 3, include_vector=include_vector))


@pytest.mark.parametrize("engine", ENGINES)
def test_several_queries_give_the_rows_of_the_data_frame(frame, engine):
    queries = make_matrix(4, seed=5)
    lazy = frame.lazy().drift.search(queries, 5, where="year = 2001")
    assert lazy.collect(engine=engine).equals(frame.drift.search(queries, 5, where="year = 2001"))


@pytest.mark.parametrize("engine", ENGINES)
def test_filters_before_rank_first_and_filters_after_see_the_hits_only(frame, engine):
    allowed = frame["lang"] == "de"
    hits = frame.lazy().filter(lang="de").drift.search(QUERY, 9).filter(pl.col("year") > 2003)
    ranked = nearest(MATRIX, QUERY, 9, allowed=allowed)
    assert hits.collect(engine=engine)["id"].to_list() == [row for row in ranked if 2000 + row % 7 > 2003]


def test_the_plan_pushes_filters_and_columns_into_a_file(frame, tmp_path):
    path = tmp_path / "frame.parquet"
    frame.write_parquet(path)
    hits = scan(path).filter(pl.col("year") == 2001).drift.search(QUERY, 5).select("id")
    plan = hits.explain().partition("Parquet SCAN")[2]
    assert "PROJECT 3/4 COLUMNS" in plan  # id, v and year; lang is not read
    assert 'SELECTION: col("year")' in plan
    assert hits.collect()["id"].to_list() == nearest(MATRIX, QUERY, 5, allowed=frame["year"] == 2001)


def test_where_is_pushed_into_a_file(frame, tmp_path):
    path = tmp_path / "frame.parquet"
    frame.write_parquet(path)
    plan = scan(path).drift.search(QUERY, 5, where="year = 2001").explain()
    assert 'SELECTION: col("year")' in plan.partition("Parquet SCAN")[2]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_without_a_distance_are_left_out(engine):
    rows = [None, [None, 0.0], [float("nan"), 0.0], [5.0, 0.0], [4.0, 0.0]]
    frame = frame_of(id=range(5), v=vectors(rows)).lazy()
    assert frame.drift.search([0, 0], 5).collect(engine=engine)["id"].to_list() == [4, 3]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_list_column_is_checked_when_it_is_read(engine):
    frame = frame_of(v=[[1.0, 0.0], [1.0, 0.0, 0.0]]).lazy()
    assert frame.head(1).drift.search([0, 0]).collect(engine=engine).height == 1
    with pytest.raises(InvalidArgumentError, match="dim=3 query=2"):
        frame.drift.search([0, 0]).collect(engine=engine)


def test_a_column_named_like_the_row_number_is_kept():
    frame = frame_of(_row=[7, 8], v=np.eye(2, dtype=np.float32))
    assert frame.lazy().drift.search([1, 0], where="_row > 0").collect().equals(frame.drift.search([1, 0]))


def test_an_empty_frame_gives_no_rows(frame):
    assert frame.head(0).lazy().drift.search(QUERY).collect().height == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": [1.0]}, "wrong dimension"),
        ({"k": 0}, "got=0"),
        ({"on": "nope"}, "nope"),
        ({"metric": "x"}, "unknown metric"),
        ({"where": "nope = 1"}, "nope"),
        ({"where": "year"}, "boolean"),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_runs(frame, arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        frame.lazy().drift.search(**{"query": QUERY} | arguments)


def test_a_plan_keeps_its_query_when_the_array_is_written_to(frame):
    query = MATRIX[7].copy()
    search = frame.lazy().drift.search(query, 1)
    query[:] = MATRIX[9]
    assert search.collect()["id"].item() == 7
