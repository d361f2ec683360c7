"""`drift()` says what became of each bucket, and who reads it."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import drift_arrow as drift
from tests.tables import create, make_table, matrix_of


@pytest.fixture
def docs(db):
    docs = create(db, options=drift.Options(merge_bytes=0))
    for start in (0, 2_000):
        docs.add(make_table(2_000, start=start))
        docs.flush()
    return docs


def test_every_bucket_has_a_row_and_the_most_urgent_comes_first(docs):
    docs.delete(keys=list(range(1_500)))
    frame = docs.drift()
    assert len(frame) == docs.stats().buckets
    assert frame["live"].sum() == len(docs)
    assert frame["dead"].sum() == 1_500
    assert frame["urgency"].is_sorted(descending=True)
    assert frame["segment"].n_unique() == 2
    assert frame["reason"][0] == "zombie"
    assert frame["dead"][0] > frame["live"][0]
    assert frame.null_count().drop("query_shift").sum_horizontal().item() == 0


def test_what_searches_touch_is_hot_and_its_zombies_come_first(docs):
    docs.delete(keys=list(range(0, 4_000, 2)))
    query = matrix_of(make_table(1))[0]
    for _ in range(20):
        docs.search(query).nprobe(2).to_arrow()
    frame = docs.drift()
    hot = frame.filter(pl.col("heat") > 0)
    assert hot["heat"].to_list() == pytest.approx([20, 20], rel=0.01)
    cold_zombies = frame.filter((pl.col("heat") == 0) & (pl.col("zombie_ratio") < hot["zombie_ratio"].min()))
    assert hot["urgency"].min() > cold_zombies["urgency"].max()


def test_queries_like_the_rows_are_not_shifted_and_others_are(docs):
    assert docs.query_shift().n_queries == 0
    assert docs.query_shift().ratio is None
    alike = matrix_of(make_table(300, start=10**6))
    docs.search(alike).limit(1).to_arrow()
    found = docs.query_shift()
    assert found.n_queries == 300
    assert found.ratio == pytest.approx(1, abs=0.15)
    assert not found.is_significant
    frame = docs.drift()
    assert frame["queries"].sum() == 300
    assert frame["query_shift"].drop_nulls().median() == pytest.approx(1, abs=0.25)
    docs.search(alike + 5).limit(1).to_arrow()
    shifted = docs.query_shift()
    assert shifted.is_significant
    assert shifted.ratio > 1.5
    assert docs.drift()["query_shift"].max() > 2


@pytest.mark.parametrize("metric", ["cosine", "dot"])
def test_other_metrics_have_a_frame_too(db, metric):
    docs = create(db, metric=metric)
    docs.add(make_table(1_000))
    docs.flush()
    docs.search(matrix_of(make_table(300, start=10**6))).to_arrow()
    assert len(docs.drift()) == docs.stats().buckets
    assert not docs.query_shift().is_significant


def test_a_collection_without_segments_has_an_empty_frame(db):
    docs = create(db)
    docs.add(make_table(10))
    docs.search(np.zeros(8)).to_arrow()
    frame = docs.drift()
    assert frame.is_empty()
    assert frame.schema["segment"] == pl.String
    assert docs.query_shift().ratio is None
