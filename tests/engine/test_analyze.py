from __future__ import annotations

import numpy as np
import pytest

import drift_arrow as drift
from tests.tables import DIM, create, make_table, matrix_of

STAGES = ("filter_s", "scan_s", "memtable_s", "rescore_s", "fetch_s")


@pytest.fixture
def docs(db):
    """Two segments, of 2,000 and 1,000 rows, and 100 rows in the memtable."""
    docs = create(db, options=drift.Options(merge_bytes=0))
    for start, size in ((0, 2_000), (2_000, 1_000), (3_000, 100)):
        docs.add(make_table(size, start=start))
        if start < 3_000:
            docs.flush()
    return docs


def queries(n):
    return matrix_of(make_table(n, start=10**6))


def test_every_query_has_a_row_with_what_it_scanned(docs):
    search = docs.search(queries(20))
    frame = search.analyze().frame
    explained = search.explain().drop("part", "how").group_by("query_index", maintain_order=True).sum()
    assert frame["query_index"].to_list() == list(range(20))
    assert frame["how"].unique().to_list() == ["probed"]
    assert frame["probed_buckets"].to_list() == explained["probed_buckets"].to_list()
    assert (frame["scanned_rows"] + frame["memtable_rows"]).to_list() == explained["scanned_rows"].to_list()
    assert frame["code_bytes"].to_list() == (frame["scanned_rows"] * DIM).to_list()
    assert frame["returned_rows"].to_list() == [10] * 20
    assert (frame["candidates"] >= 10).all()


def test_an_exact_search_scans_all_allowed_rows(docs):
    docs.delete(keys=[0, 1, 3_000])
    frame = docs.search(queries(1)[0]).exact().analyze().frame
    assert frame.select("how", "rows", "allowed_rows", "scanned_rows", "memtable_rows").row(0) == (
        "exact",
        3_100,
        3_097,
        2_998,
        99,
    )
    assert frame["buckets"].to_list() == [None]


def test_a_filter_tells_how_many_runs_of_blocks_it_read(docs):
    frame = docs.search(queries(1)[0]).where("id >= 2500 AND id < 9999").analyze().frame
    assert frame.select("filter_runs", "pruned_runs", "certain_runs").row(0) == (2, 1, 0)
    assert frame["allowed_rows"].to_list() == [600]


def test_stages_take_time_and_none_is_negative(docs):
    frame = docs.search(queries(3)).where("price > 0").analyze().frame
    assert all(frame[stage].min() >= 0 for stage in STAGES)
    assert frame["filter_s"].min() > 0


def test_it_prints_as_a_tree_of_stages(docs):
    lines = str(docs.search(queries(1)[0]).where("price > 0").analyze()).splitlines()
    assert lines[0].startswith("docs.search(<1 x 8>).where('price > 0')")
    assert [line.split()[1] for line in lines[1:]] == ["filter", "scan", "memtable", "rescore", "fetch"]
    assert "2 runs of blocks: 0 pruned, 0 certain, 2 read" in lines[1]
    assert "10 rows" in lines[5]


def test_a_batch_prints_means(docs):
    assert "mean of 4 queries" in str(docs.search(queries(4)).analyze())


def test_notebooks_show_the_tree(docs):
    html = docs.search(queries(1)[0]).where("price < 0").analyze()._repr_html_()
    assert html.startswith("<pre>")
    assert "price &lt; 0" in html


def test_an_empty_collection_has_nothing_to_scan(db):
    analysis = create(db).search(np.ones(DIM, np.float32)).analyze()
    assert analysis.frame.select("how", "rows", "candidates", "returned_rows").row(0) == ("empty", 0, 0, 0)
    assert "rescore" in str(analysis)
