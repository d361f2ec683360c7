from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import drift_arrow as drift
from drift_arrow.errors import InvalidArgumentError
from tests.oracle import distances as oracle_distances
from tests.tables import DIM, create, make_table, matrix_of

N_ROWS = 3_000


def nearest(table: pa.Table, query: np.ndarray, k: int, metric: str) -> list[int]:
    distances = oracle_distances(matrix_of(table).astype(np.float64), query.astype(np.float64), metric)
    ids = table.column("id").to_numpy()
    nearest_ids: list[int] = ids[np.lexsort((ids, distances))[:k]].tolist()
    return nearest_ids


def queries(n: int) -> np.ndarray:
    return matrix_of(make_table(n, start=10**6))


@pytest.fixture(params=["memtable", "segment", "both"])
def where_rows_live(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def filled(db: drift.Database, place: str, metric: str = "l2") -> tuple[drift.Collection, pa.Table]:
    docs, table = create(db, metric=metric), make_table(N_ROWS)
    docs.add(table.slice(0, N_ROWS // 2))
    if place == "both":
        docs.flush()
    docs.add(table.slice(N_ROWS // 2))
    if place == "segment":
        docs.flush()
    return docs, table


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_exact_search_equals_brute_force_wherever_the_rows_live(db, where_rows_live, metric):
    docs, table = filled(db, where_rows_live, metric)
    for query in queries(20):
        assert docs.search(query).exact().to_arrow()["id"].to_pylist() == nearest(table, query, 10, metric)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_default_search_finds_nearly_all_of_the_true_neighbours(db, where_rows_live, metric):
    docs, table = filled(db, where_rows_live, metric)
    found = [set(docs.search(q).to_arrow()["id"].to_pylist()) & set(nearest(table, q, 10, metric)) for q in queries(50)]
    assert sum(map(len, found)) / 500 >= 0.95


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_a_row_has_bitwise_the_same_distance_in_memtable_and_segment(db, metric):
    docs, _ = filled(db, "memtable", metric)
    query = queries(1)[0]
    before = docs.search(query).exact().to_arrow()
    docs.flush()
    assert docs.search(query).exact().to_arrow().equals(before)


def test_a_batch_of_queries_returns_for_each_what_a_single_query_returns(db, where_rows_live):
    docs, _ = filled(db, where_rows_live)
    batch = docs.search(queries(40)).limit(5).to_polars()
    assert batch.columns[0] == "query_index"
    for number, query in enumerate(queries(40)):
        single = docs.search(query).limit(5).to_polars()
        assert batch.filter(pl.col("query_index") == number).drop("query_index").equals(single)


@pytest.mark.parametrize(
    "where",
    [
        "lang = 'en' AND price < 0.5",
        (pl.col("lang") == "en") & (pl.col("price") < 0.5),
        (pc.field("lang") == "en") & (pc.field("price") < 0.5),
    ],
    ids=["sql", "polars", "pyarrow"],
)
def test_where_ranks_only_the_matching_rows(db, where_rows_live, where):
    docs, table = filled(db, where_rows_live)
    kept = table.filter((pc.field("lang") == "en") & (pc.field("price") < 0.5))
    for query in queries(10):
        assert docs.search(query).where(where).exact().to_arrow()["id"].to_pylist() == nearest(kept, query, 10, "l2")


@pytest.mark.parametrize("n_matching", [1, 9, 10, 11, 200, 1500])
def test_where_returns_k_rows_when_enough_match_however_few_they_are(db, where_rows_live, n_matching):
    docs, _ = filled(db, where_rows_live)
    far_away = np.full(DIM, 40, dtype=np.float32)
    hits = docs.search(far_away).where(f"id < {n_matching}").to_arrow()
    assert hits.num_rows == min(10, n_matching)
    assert max(hits["id"].to_pylist()) < n_matching
    assert len(set(hits["id"].to_pylist())) == hits.num_rows


def test_a_null_in_a_condition_counts_as_no(db, where_rows_live):
    docs, table = filled(db, where_rows_live)
    hits = docs.search(queries(1)[0]).where("lang != 'en'").limit(5000).to_polars()
    assert sorted(hits["id"]) == table.filter(pc.field("lang") != "en")["id"].to_pylist()


def test_more_rows_than_there_are_returns_all_of_them(db, where_rows_live):
    docs, table = filled(db, where_rows_live)
    hits = docs.search(queries(1)[0]).limit(10_000).to_arrow()
    assert sorted(hits["id"].to_pylist()) == table["id"].to_pylist()


def test_equal_distances_are_ordered_by_key(db):
    docs = create(db)
    table = make_table(30)
    same = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(30 * DIM, np.float32)), DIM)
    table = table.set_column(1, table.schema.field("embedding"), same).take(np.random.default_rng(1).permutation(30))
    docs.add(table.slice(0, 15))
    docs.flush()
    docs.add(table.slice(15))
    assert docs.search(np.zeros(DIM)).exact().limit(30).to_arrow()["id"].to_pylist() == list(range(30))


def test_select_returns_these_columns_in_this_order(db, where_rows_live):
    docs, table = filled(db, where_rows_live)
    hits = docs.search(queries(1)[0]).select(["embedding", "id"]).to_arrow()
    assert hits.column_names == ["embedding", "id", "_distance"]
    row = table.filter(pc.field("id") == hits["id"][0])
    assert hits["embedding"][0] == row["embedding"][0]


def test_all_columns_but_the_vector_come_back_by_default(db):
    docs, _ = filled(db, "memtable")
    assert docs.search(queries(1)[0]).to_polars().columns == ["id", "lang", "price", "_distance"]


def test_results_convert_to_arrow_polars_and_pandas_and_stream(db):
    docs, _ = filled(db, "memtable")
    search = docs.search(queries(1)[0])
    table = search.to_arrow()
    assert search.to_polars().to_arrow().num_rows == table.num_rows
    assert search.to_pandas()["id"].tolist() == table["id"].to_pylist()
    assert pa.table(search).equals(table)


def test_a_builder_never_changes(db):
    docs, _ = filled(db, "memtable")
    search = docs.search(queries(1)[0])
    assert search.limit(3) is not search
    assert search.to_arrow().num_rows == 10
    assert "limit(3)" in repr(search.limit(3))
    assert "exact()" in repr(search.exact())
    assert "price" in repr(search.where("price < 1"))


def test_an_empty_collection_answers_with_no_rows(any_db):
    docs = create(any_db)
    hits = docs.search(np.zeros(DIM)).to_arrow()
    assert hits.num_rows == 0
    assert hits.column_names == ["id", "lang", "price", "_distance"]
    assert docs.search(np.zeros((3, DIM))).to_arrow().num_rows == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda docs: docs.search(np.zeros(DIM + 1)), f"dim={DIM}"),
        (lambda docs: docs.search(np.full(DIM, np.nan)), "NaN"),
        (lambda docs: docs.search("text"), "got=str"),
        (lambda docs: docs.search(np.zeros((2, 2, DIM))), "wrong dimension"),
        (lambda docs: docs.search(np.zeros(DIM)).limit(0), "got=0"),
        (lambda docs: docs.search(np.zeros(DIM)).limit(10_001), "10000"),
        (lambda docs: docs.search(np.zeros(DIM)).limit(2.0), "got=2.0"),
        (lambda docs: docs.search(np.zeros(DIM)).select(["nope"]), "nope"),
        (lambda docs: docs.search(np.zeros(DIM)).select(["id", "id"]), "twice"),
        (lambda docs: docs.search(np.zeros(DIM)).where("nope = 1"), "no such column"),
        (lambda docs: docs.search(np.zeros(DIM)).where("price <"), "price <"),
        (lambda docs: docs.search(np.zeros(DIM)).where("price + 1"), "Boolean"),
        (lambda docs: docs.search(np.zeros(DIM)).where("price > avg(price)"), "row"),
        (lambda docs: docs.search(np.zeros(DIM)).where(pl.col("price").cum_sum() > 1), "row alone"),
        (lambda docs: docs.search(np.zeros(DIM)).where("lang > 3"), "where"),
        (lambda docs: docs.search(np.zeros(DIM)).where(7), "got=int"),
        (lambda docs: docs.search(np.zeros(DIM)).where(pc.field("nope") == 1), "evaluated.*nope"),
        (lambda docs: docs.search(np.zeros(DIM)).where("price < 1").where("price < 2"), "AND"),
    ],
)
def test_a_bad_search_is_refused_with_the_value_and_the_remedy(db, make, said):
    docs, _ = filled(db, "memtable")
    with pytest.raises(InvalidArgumentError, match=said):
        make(docs)


def test_a_zero_query_has_no_cosine(db):
    docs, _ = filled(db, "memtable", "cosine")
    with pytest.raises(InvalidArgumentError, match="direction"):
        docs.search(np.zeros(DIM))
