from __future__ import annotations

import math

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import drift_arrow as drift
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.kernels.distance import exact_distances
from tests.tables import DIM, create, make_table, matrix_of

N_ROWS = 3_000
DEAD = list(range(0, N_ROWS, 7))


def queries(n):
    return matrix_of(make_table(n, start=10**6))


@pytest.fixture(params=["memtable", "segment", "both"])
def docs(request, db):
    """Rows in several places, of which every seventh is deleted."""
    docs, table = create(db, options=drift.Options(merge_bytes=0)), make_table(N_ROWS)
    docs.add(table.slice(0, 1_800))
    if request.param != "memtable":
        docs.flush()
    docs.add(table.slice(1_800))
    if request.param == "segment":
        docs.flush()
    docs.delete(keys=DEAD)
    return docs


def ranking(query, *, where=None, low=-math.inf, high=math.inf, group_by=None, limit=1, metric="l2"):
    """Keys of all live rows in order, by brute force."""
    frame = pl.DataFrame(pl.from_arrow(make_table(N_ROWS)))
    frame = frame.with_columns(_distance=pl.Series(exact_distances(matrix_of(make_table(N_ROWS)), query, metric)))
    frame = frame.filter(~pl.col("id").is_in(DEAD)).sort("_distance", "id")
    frame = frame if where is None else frame.filter(pl.sql_expr(where))
    frame = frame.filter((pl.col("_distance") >= low) & (pl.col("_distance") < high))
    if group_by is not None:
        frame = frame.filter(pl.int_range(pl.len()).over(group_by) < limit)
    return frame["id"].to_list()


def keys(search):
    return search.to_arrow()["id"].to_pylist()


@pytest.mark.parametrize("offset", [0, 1, 10, 57, 9_000])
def test_an_offset_returns_the_rows_of_the_ranking_behind_it(docs, offset):
    for query in queries(5):
        assert keys(docs.search(query).exact().offset(offset)) == ranking(query)[offset : offset + 10]


def test_pages_of_a_default_search_follow_each_other_without_gap_or_repetition(docs):
    search = docs.search(queries(1)[0]).nprobe(10_000)
    pages = [key for start in range(0, 100, 20) for key in keys(search.offset(start).limit(20))]
    assert pages == ranking(queries(1)[0])[:100]


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("low", "high"), [(30, None), (None, 20), (10, 25), (20, 20.5), (0, 1e-6), (-1, 1e30)])
def test_a_range_ranks_only_rows_at_these_distances(docs, low, high, exact):
    for query in queries(8):
        search = docs.search(query).distance_range(low, high)
        found = keys(search.exact() if exact else search)
        wanted = ranking(query, low=-math.inf if low is None else low, high=math.inf if high is None else high)[:10]
        assert len(found) == len(wanted) or not exact
        assert found == wanted or (not exact and len(set(found) & set(wanted)) >= 0.7 * len(wanted))


def test_the_end_of_a_range_is_outside_and_its_start_inside(docs):
    query = queries(1)[0]
    hits = docs.search(query).exact().limit(3).to_arrow()
    first, second, third = (float(distance) for distance in hits["_distance"].to_pylist())
    assert keys(docs.search(query).exact().distance_range(first, third)) == hits["id"].to_pylist()[:2]
    # no float32 lies between
    assert keys(docs.search(query).exact().distance_range(second + 1e-9, math.nextafter(third, 0))) == []


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize(("column", "limit"), [("lang", 1), ("lang", 4), ("bucket", 1), ("bucket", 3), ("id", 1)])
def test_a_grouped_search_returns_the_nearest_rows_of_every_group(db, column, limit, exact):
    table = make_table(N_ROWS)
    buckets = pa.array([None if key % 50 == 0 else key % 50 for key in range(N_ROWS)], pa.int16())
    table = table.append_column("bucket", buckets)
    docs = create(db, table=table)
    docs.add(table.slice(0, 2_000))
    docs.flush()
    docs.add(table.slice(2_000))
    docs.delete(keys=DEAD)
    found_rows = wanted_rows = 0
    for query in queries(8):
        search = docs.search(query).group_by(column, limit).limit(12)
        found = keys(search.exact() if exact else search)
        frame = pl.DataFrame({"id": ranking(query)}).with_columns(row=pl.int_range(pl.len()))
        frame = frame.join(pl.DataFrame(pl.from_arrow(table.drop_columns(["embedding"]))), on="id").sort("row")
        wanted = frame.filter(pl.int_range(pl.len()).over(column) < limit)["id"].to_list()[:12]
        assert len(found) == len(wanted)
        found_rows += len(set(found) & set(wanted))
        wanted_rows += len(wanted)
    assert found_rows == wanted_rows if exact else found_rows >= 0.95 * wanted_rows


def test_null_is_a_group_of_its_own_and_zeros_are_one(db):
    table = make_table(8)
    prices = pa.array([None, None, 0.0, -0.0, math.nan, math.nan, 1.0, 2.0])
    table = table.set_column(table.schema.get_field_index("price"), "price", prices)
    docs = create(db, table=table)
    docs.add(table)
    found = docs.search(np.zeros(DIM)).group_by("price").to_polars()["price"]
    assert found.fill_null(-1).sort().to_list()[:4] == [-1, 0, 1, 2]
    assert found.is_nan().sum() == 1


@settings(max_examples=15, deadline=None)
@given(
    k=st.integers(1, 40),
    offset=st.integers(0, 30),
    group=st.sampled_from([None, ("lang", 1), ("lang", 5), ("id", 2)]),
    ends=st.sampled_from([(-math.inf, math.inf), (15, math.inf), (-math.inf, 30), (10, 40)]),
    where=st.sampled_from([None, "price > 0", "lang = 'en'", "id < 40"]),
)
def test_restrictions_combine_in_exact_batches(filled, k, offset, group, ends, where):
    column, limit = group or (None, 1)
    search = filled.search(queries(4)).exact().limit(k).offset(offset).distance_range(*ends)
    search = search if where is None else search.where(where)
    search = search if column is None else search.group_by(column, limit)
    hits = search.to_polars()
    for number, query in enumerate(queries(4)):
        wanted = ranking(query, where=where, low=ends[0], high=ends[1], group_by=column, limit=limit)
        assert hits.filter(pl.col("query_index") == number)["id"].to_list() == wanted[offset : offset + k]


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    with drift.connect(tmp_path_factory.mktemp("restricted")) as db:
        docs, table = create(db, options=drift.Options(merge_bytes=0)), make_table(N_ROWS)
        for start, stop in ((0, 1_000), (1_000, 2_500)):
            docs.add(table.slice(start, stop - start))
            docs.flush()
        docs.add(table.slice(2_500))
        docs.delete(keys=DEAD)
        yield docs


def test_a_default_batch_returns_for_each_query_what_a_single_one_returns(filled):
    search = filled.search(queries(20)).group_by("lang", 3).distance_range(5, None).to_polars()
    for number, query in enumerate(queries(20)):
        single = filled.search(query).group_by("lang", 3).distance_range(5, None).to_polars()
        assert search.filter(pl.col("query_index") == number).drop("query_index").equals(single)


def test_k_rows_come_back_wherever_the_range_begins(filled):
    query = queries(1)[0]
    for low in (0, 20, 60, 120, 200):
        assert len(keys(filled.search(query).distance_range(low, None))) == min(10, len(ranking(query, low=low)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda search: search.offset(-1), "got=-1"),
        (lambda search: search.offset(1.5), "got=1.5"),
        (lambda search: search.offset(9_995), "offset=9995 limit=10"),
        (lambda search: search.offset(1).limit(10_000), "offset=1 limit=10000"),
        (lambda search: search.distance_range(2, 2), "below"),
        (lambda search: search.distance_range(math.nan, None), r"got=\(nan"),
        (lambda search: search.distance_range("1", None), "'1'"),
        (lambda search: search.distance_range(None, True), "True"),
        (lambda search: search.group_by("nope"), "nope"),
        (lambda search: search.group_by("embedding"), "embedding"),
        (lambda search: search.group_by("lang", 0), "got=0"),
        (lambda search: search.group_by(7), "got=7"),
    ],
)
def test_a_bad_restriction_is_refused_with_the_value(filled, make, said):
    with pytest.raises(InvalidArgumentError, match=said):
        make(filled.search(np.zeros(DIM)))


def test_a_builder_shows_its_restrictions(filled):
    text = repr(filled.search(np.zeros(DIM)).offset(5).distance_range(1, None).group_by("lang", 2))
    assert text.endswith(".limit(10).offset(5).distance_range(1.0, inf).group_by('lang', 2)")
