"""`df.drift.search`."""

from __future__ import annotations

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drift_arrow.polars_ns  # noqa: F401 - registers the namespace
from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.kernels.distance import exact_distances
from tests.surfaces.brute_force import DIM, distances, frame_of, make_frame, make_matrix, nearest, vectors

MATRIX = make_matrix()
QUERY = make_matrix(1, seed=2)[0]


@pytest.fixture
def frame():
    return make_frame(MATRIX)


def in_pieces(*frames):
    return pl.concat(frames, rechunk=False)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_the_nearest_rows_come_first(frame, metric):
    hits = frame.drift.search(QUERY, k=7, metric=metric)
    assert hits["id"].to_list() == nearest(MATRIX, QUERY, 7, metric)
    np.testing.assert_allclose(hits["_distance"], np.sort(distances(MATRIX, QUERY, metric))[:7], rtol=1e-5, atol=1e-6)


def test_ten_rows_come_back_by_default(frame):
    assert frame.drift.search(QUERY).height == 10


def test_the_result_has_all_columns_but_the_vector_and_then_the_distance(frame):
    hits = frame.drift.search(QUERY, k=2)
    assert hits.schema == {"id": pl.Int64, "year": pl.Int64, "lang": pl.String, "_distance": pl.Float32}


def test_the_vector_comes_along_when_asked_for(frame):
    hits = frame.drift.search(QUERY, k=2, include_vector=True)
    assert hits.columns == ["id", "year", "lang", "v", "_distance"]
    np.testing.assert_array_equal(hits["v"].to_numpy(), MATRIX[hits["id"]])


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_distances_are_those_of_the_engine_bit_by_bit(frame, metric):
    hits = frame.drift.search(QUERY, k=50, metric=metric)
    np.testing.assert_array_equal(hits["_distance"], exact_distances(MATRIX[hits["id"]], QUERY, metric))


def test_equal_distances_keep_the_order_of_the_frame():
    frame = make_frame(np.ones((40, DIM), np.float32))
    assert frame.drift.search(np.zeros(DIM), k=5)["id"].to_list() == [0, 1, 2, 3, 4]


def test_several_queries_give_a_query_index(frame):
    queries = make_matrix(3, seed=4)
    hits = frame.drift.search(queries, k=4)
    assert hits.columns[0] == "query_index"
    assert hits["query_index"].dtype == pl.UInt32
    assert hits["query_index"].to_list() == [0] * 4 + [1] * 4 + [2] * 4
    assert hits["id"].to_list() == [row for query in queries for row in nearest(MATRIX, query, 4)]


def test_one_row_of_a_matrix_is_a_batch_of_one(frame):
    assert frame.drift.search(QUERY[np.newaxis], k=2)["query_index"].to_list() == [0, 0]


def test_k_beyond_the_rows_gives_them_all(frame):
    assert frame.drift.search(QUERY, k=10_000).height == len(MATRIX)


@pytest.mark.parametrize("where", ["lang = 'de' AND year > 2002", (pl.col("lang") == "de") & (pl.col("year") > 2002)])
def test_where_is_applied_before_the_ranking(frame, where):
    allowed = (frame["lang"] == "de") & (frame["year"] > 2002)
    hits = frame.drift.search(QUERY, k=20, where=where)
    assert hits["id"].to_list() == nearest(MATRIX, QUERY, 20, allowed=allowed)


def test_where_that_nothing_satisfies_gives_no_rows(frame):
    assert frame.drift.search(QUERY, where="year < 0").height == 0


def test_a_null_condition_counts_as_no():
    frame = frame_of(flag=[True, None, False], v=np.eye(3, dtype=np.float32))
    assert frame.drift.search([0, 0, 0], where=pl.col("flag")).rows() == [(True, 1.0)]


def test_where_may_compare_with_the_whole_frame(frame):
    hits = frame.drift.search(QUERY, k=300, where=pl.col("id") > pl.col("id").mean())
    assert hits["id"].min() == 150


def test_rows_with_a_null_vector_are_skipped():
    frame = frame_of(id=[0, 1, 2], v=vectors([[1.0, 0.0], None, [0.0, 0.0]]))
    assert frame.drift.search([0, 0], k=3)["id"].to_list() == [2, 0]


def test_rows_with_a_null_or_nan_inside_never_win():
    frame = frame_of(id=[0, 1, 2], v=vectors([[None, 0.0], [float("nan"), 0.0], [5.0, 0.0]]))
    assert frame.drift.search([0, 0], k=3)["id"].to_list() == [2]


def test_the_chunks_of_a_frame_are_one_frame(frame):
    pieces = in_pieces(frame[:100], frame[100:101], frame[101:])
    assert pieces["v"].n_chunks() == 3
    assert pieces.drift.search(QUERY, k=9).equals(frame.drift.search(QUERY, k=9))


def test_where_finds_its_rows_across_chunks(frame):
    pieces = in_pieces(frame[:77], frame[77:], frame[:0])
    assert pieces.drift.search(QUERY, where="year = 2003").equals(frame.drift.search(QUERY, where="year = 2003"))


def test_a_slice_is_searched_alone(frame):
    assert frame[50:150].drift.search(QUERY, k=5)["id"].to_list() == [i + 50 for i in nearest(MATRIX[50:150], QUERY, 5)]


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_other_floats_are_compared_as_float32(dtype):
    hits = make_frame(MATRIX, dtype).drift.search(QUERY, k=6)
    rows = MATRIX.astype(dtype).astype(np.float32)
    np.testing.assert_array_equal(hits["_distance"], exact_distances(rows[hits["id"]], QUERY, "l2"))
    assert hits["id"].to_list() == nearest(rows, QUERY, 6)


@pytest.mark.parametrize("inner", [pl.Float32, pl.Float64])
def test_a_list_column_is_searched_like_an_array(frame, inner):
    lists = frame.with_columns(pl.col("v").cast(pl.List(inner)))
    assert lists.drift.search(QUERY, k=6).equals(frame.drift.search(QUERY, k=6))


def test_a_list_column_may_hold_nulls():
    frame = frame_of(id=[0, 1, 2], v=[[1.0, 0.0], None, [0.0, 0.0]])
    assert frame.drift.search([0, 0])["id"].to_list() == [2, 0]


def test_a_list_with_vectors_of_another_length_is_refused():
    frame = frame_of(v=[[1.0, 0.0], None, [0.0, 0.0, 0.0]])
    with pytest.raises(InvalidArgumentError, match="column='v' dim=3 query=2 rows=1"):
        frame.drift.search([0, 0])


def test_an_empty_frame_gives_no_rows(frame):
    hits = frame[:0].drift.search(QUERY)
    assert hits.height == 0
    assert hits.schema == frame.drift.search(QUERY).schema


def test_on_names_one_of_two_vector_columns(frame):
    both = frame.with_columns(w=pl.Series(MATRIX[::-1].copy()))
    hits = both.drift.search(QUERY, k=3, on="w")
    assert hits["id"].to_list() == nearest(MATRIX[::-1], QUERY, 3)
    assert "v" in hits.columns


def test_the_memory_of_an_array_column_is_read_in_place(frame):
    from drift_arrow.polars_ns.matrices import matrices

    (matrix,) = matrices(frame["v"], DIM)
    assert np.shares_memory(matrix, frame["v"].to_numpy(allow_copy=False))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"query": [1.0, 2.0]}, "wrong dimension"),
        ({"query": np.full(DIM, np.nan)}, "NaN"),
        ({"query": np.full(DIM, np.inf)}, "infinity"),
        ({"query": "abc"}, "vector of numbers"),
        ({"query": None}, "quer"),
        ({"query": np.zeros(DIM), "metric": "cosine"}, "no direction"),
        ({"metric": "euclid"}, r"got='euclid' known=\['cosine', 'dot', 'l2'\]"),
        ({"k": 0}, "from 1 to 10000; got=0"),
        ({"k": 10_001}, "got=10001"),
        ({"k": True}, "got=True"),
        ({"k": 2.5}, "got=2.5"),
        ({"on": "vv"}, r"no such column; on='vv' candidates=\['v'\]"),
        ({"on": "year"}, "holds no vectors"),
        ({"where": "no_such = 1"}, "no_such"),
        ({"where": "year +"}, "where cannot be evaluated"),
        ({"where": "year"}, "boolean"),
        ({"where": pl.all() == 1}, "where"),
        ({"where": 5}, "got=int"),
        ({"where": "CAST(lang AS INT) = 3"}, "where cannot be evaluated"),
    ],
)
def test_a_wrong_argument_is_named(frame, arguments, message):
    with pytest.raises(InvalidArgumentError, match=message):
        frame.drift.search(**{"query": QUERY} | arguments)


def test_a_where_without_end_is_refused(frame):
    with pytest.raises(LimitExceededError, match="16384"):
        frame.drift.search(QUERY, where="year = 1" + " OR year = 1" * 2000)


def test_a_frame_without_vectors_is_told_so(frame):
    with pytest.raises(InvalidArgumentError, match=r"candidates=\[\]"):
        frame.drop("v").drift.search(QUERY)


def test_two_vector_columns_are_both_named(frame):
    with pytest.raises(InvalidArgumentError, match=r"candidates=\['v', 'w'\]"):
        frame.with_columns(w=pl.col("v")).drift.search(QUERY)


def test_a_frame_that_was_searched_already_is_refused(frame):
    with pytest.raises(InvalidArgumentError, match="column='_distance'"):
        frame.drift.search(QUERY, include_vector=True).drift.search(QUERY)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_small_frame_ranks_like_brute_force(data):
    n_rows = data.draw(st.integers(1, 12))
    values = st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0])
    rows = data.draw(st.lists(st.none() | st.lists(values, min_size=2, max_size=2), min_size=n_rows, max_size=n_rows))
    query = data.draw(st.lists(values, min_size=2, max_size=2))
    metric = data.draw(st.sampled_from(["l2", "dot"]))
    k = data.draw(st.integers(1, 15))
    allowed = data.draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
    frame = frame_of(id=range(n_rows), ok=allowed, v=vectors(rows))
    filled = np.array([row or [0.0, 0.0] for row in rows])
    possible = [keep and row is not None for keep, row in zip(allowed, rows, strict=True)]
    expected = nearest(filled, query, k, metric, possible)
    assert frame.drift.search(query, k, metric=metric, where="ok")["id"].to_list() == expected
    lazy = frame.lazy().drift.search(query, k, metric=metric, where="ok")
    assert lazy.collect()["id"].to_list() == expected


def test_a_condition_on_all_columns_of_a_type_sees_the_columns_of_the_frame_only(frame):
    plain = frame.select("id", "v").with_columns(pl.col("id").cast(pl.String))
    where = ~pl.any_horizontal(cs.integer() == 5)
    with_numbers = plain.with_columns(seven=pl.lit(7))
    assert with_numbers.drift.search(QUERY, k=10_000, where=where).height == frame.height


def test_a_metric_is_a_string(frame):
    with pytest.raises(InvalidArgumentError, match="unknown metric"):
        frame.drift.search(QUERY, metric=["l2"])
