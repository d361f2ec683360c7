from __future__ import annotations

import numpy as np
import pytest

import drift_arrow as drift
from tests.tables import create, make_table, matrix_of

N_ROWS = 3_000


@pytest.fixture
def docs(db):
    """Two segments and some rows in the memtable."""
    docs = create(db, options=drift.Options(merge_bytes=0))
    table = make_table(N_ROWS + 100)
    for start, stop in ((0, 2_000), (2_000, N_ROWS)):
        docs.add(table.slice(start, stop - start))
        docs.flush()
    docs.add(table.slice(N_ROWS))
    return docs


def queries(n):
    return matrix_of(make_table(n, start=10**6))


def test_every_query_has_a_row_per_segment_and_memtable(docs):
    frame = docs.search(queries(3)).explain()
    assert frame["query_index"].to_list() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert frame["how"].to_list() == ["probed", "probed", "memtable"] * 3
    assert frame["rows"].to_list() == [2_000, 1_000, 100] * 3
    assert frame["part"].n_unique() == 3


def test_all_buckets_are_probed_when_nprobe_is_their_number(docs):
    frame = docs.search(queries(1)[0]).nprobe(10**6).explain()
    assert frame["probed_buckets"].to_list() == frame["buckets"].to_list()
    assert frame["scanned_rows"].to_list() == frame["rows"].to_list()


def test_buckets_of_all_segments_count_towards_nprobe(docs):
    frame = docs.search(queries(4)).limit(1).nprobe(5).explain()
    assert frame["probed_buckets"].fill_null(0).to_numpy().reshape(4, 3).sum(axis=1).tolist() == [5] * 4


def test_a_higher_target_scans_more_rows(docs):
    rows = [docs.search(queries(50)).target_recall(target).explain()["scanned_rows"].sum() for target in (0.8, 0.99)]
    assert rows[0] < rows[1]


def test_an_exact_search_ranks_no_buckets(docs):
    frame = docs.search(queries(1)).exact().explain()
    assert frame["how"].to_list() == ["exact", "exact", "memtable"]
    assert frame["buckets"].null_count() == 3
    assert frame["scanned_rows"].to_list() == [2_000, 1_000, 100]


def test_filtered_and_deleted_rows_are_not_allowed(docs):
    docs.delete(keys=list(range(10)))
    frame = docs.search(queries(1)).where(f"id < {N_ROWS}").explain()
    assert frame["allowed_rows"].to_list() == [1_990, 1_000, 0]


def test_an_empty_collection_has_an_empty_memtable(db):
    frame = create(db).search(np.ones(8, np.float32)).explain()
    assert frame["scanned_rows"].to_list() == [0]
