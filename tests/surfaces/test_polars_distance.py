"""`pl.col(...).drift.distance` and `series.drift.distance`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import drift_arrow.polars_ns  # noqa: F401 - registers the namespace
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.kernels.distance import exact_distances
from tests.surfaces.brute_force import COLUMN, DIM, distances, make_frame, make_matrix, vectors

MATRIX = make_matrix()
QUERY = make_matrix(1, seed=2)[0]
ENGINES = ["streaming", "in-memory"]


@pytest.fixture
def frame():
    return make_frame(MATRIX)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_every_row_gets_its_distance(frame, metric, engine):
    expression = COLUMN("v").drift.distance(QUERY, metric)
    found = frame.lazy().select(expression).collect(engine=engine)["v"]
    assert found.dtype == pl.Float32
    np.testing.assert_array_equal(found, exact_distances(MATRIX, QUERY, metric))
    np.testing.assert_allclose(found, distances(MATRIX, QUERY, metric), rtol=1e-5, atol=1e-6)


def test_a_series_gets_the_same_distances(frame):
    found = frame["v"].drift.distance(QUERY, metric="cosine")
    assert found.name == "v"
    assert found.equals(frame.select(COLUMN("v").drift.distance(QUERY, "cosine")).to_series())


def test_a_series_of_several_chunks_keeps_its_order(frame):
    pieces = frame["v"][:10].append(frame["v"][10:])
    assert pieces.n_chunks() == 2
    np.testing.assert_array_equal(pieces.drift.distance(QUERY), exact_distances(MATRIX, QUERY, "l2"))


@pytest.mark.parametrize("dtype", [pl.Array(pl.Float32, 2), pl.List(pl.Float64)])
def test_null_stays_null(dtype):
    series = vectors([[3.0, 4.0], None, [0.0, 0.0]], dtype)
    assert series.drift.distance([0, 0]).to_list() == [25.0, None, 0.0]


def test_a_null_inside_a_vector_gives_nan():
    assert np.isnan(vectors([[3.0, None]]).drift.distance([0, 0])[0])


def test_no_rows_give_no_distances():
    assert vectors([]).drift.distance([0, 0]).to_list() == []


@pytest.mark.parametrize("engine", ENGINES)
def test_filters_on_other_columns_run_first(frame, engine):
    seen = []

    def count(series):
        seen.append(len(series))
        return series

    counted = COLUMN("v").map_batches(count, is_elementwise=True, return_dtype=pl.Array(pl.Float32, DIM))
    lazy = frame.lazy().with_columns(d=counted.drift.distance(QUERY)).filter(pl.col("year") == 2001)
    assert lazy.collect(engine=engine).height == sum(seen) == (frame["year"] == 2001).sum()


def test_a_distance_orders_rows_inside_a_group(frame):
    nearest_of_year = frame.group_by("year").agg(pl.col("id").sort_by(COLUMN("v").drift.distance(QUERY)).first())
    ranked = exact_distances(MATRIX, QUERY, "l2")
    for year, row in nearest_of_year.iter_rows():
        rows = np.arange(year - 2000, len(MATRIX), 7)
        assert row == rows[ranked[rows].argmin()]


@pytest.mark.parametrize(
    ("query", "metric", "message"),
    [
        (np.zeros((2, DIM)), "l2", "one query"),
        ([[1.0], [1.0, 2.0]], "l2", "vector of numbers"),
        (1.0, "l2", "quer"),
        ([np.nan] * DIM, "l2", "NaN"),
        ([0.0] * DIM, "cosine", "no direction"),
        (QUERY, "manhattan", "unknown metric"),
    ],
)
def test_a_wrong_query_is_refused_when_the_expression_is_made(query, metric, message):
    with pytest.raises(InvalidArgumentError, match=message):
        COLUMN("v").drift.distance(query, metric)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("column", "message"), [("v", "column='v' dim=8 query=2"), ("year", "dtype=Int64")])
def test_a_wrong_column_is_refused_when_the_expression_runs(frame, engine, column, message):
    with pytest.raises(InvalidArgumentError, match=message):
        frame.lazy().select(COLUMN(column).drift.distance([0, 0])).collect(engine=engine)


def test_importing_the_namespace_loads_no_compiler():
    code = "import sys, drift_arrow.polars_ns; sys.exit('numba' in sys.modules or 'drift_arrow.kernels' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
