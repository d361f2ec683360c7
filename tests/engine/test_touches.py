"""Buckets count the searches that scan them, across flushes."""

from __future__ import annotations

import numpy as np
import pytest

import drift_arrow as drift
from drift_arrow.engine.probing import scan_ranked
from drift_arrow.engine.stop import choose_stop
from drift_arrow.kernels import bitmap
from tests.tables import create, make_table, matrix_of


@pytest.fixture
def docs(db):
    """Two segments."""
    docs = create(db, options=drift.Options(merge_bytes=0))
    table = make_table(3_000)
    for start, stop in ((0, 2_000), (2_000, 3_000)):
        docs.add(table.slice(start, stop - start))
        docs.flush()
    return docs


def touches(docs):
    return docs.pin().segment_set.touches


def queries(n):
    return matrix_of(make_table(n, start=10**6))


def test_nothing_is_counted_before_a_search(docs):
    assert not touches(docs).any()
    assert len(touches(docs)) == docs.stats().buckets


@pytest.mark.parametrize("n_queries", [1, 7])
def test_every_query_counts_the_buckets_it_scans(docs, n_queries):
    search = docs.search(queries(n_queries)).limit(1).nprobe(3)
    search.to_arrow()
    assert touches(docs).sum() == 3 * n_queries
    assert touches(docs).max() <= n_queries


def test_buckets_without_an_allowed_row_are_passed_over(docs):
    segments, metric = docs.pin().segment_set, docs.metric
    n_first = segments.readers[0].n_buckets
    allowed = bitmap.from_mask(np.arange(segments.n_ids) < 2_000)
    stop = choose_stop(None, len(segments.counts), 3_000, target_recall=0.9, n_probe=10**6, k=1, selectivity=1.0)
    scan_ranked(queries(4), segments, allowed=allowed, metric=metric, stop=stop, n_candidates=10)
    assert (segments.touches[:n_first] == 4).all()
    assert not segments.touches[n_first:].any()


def test_a_search_in_a_range_of_distances_counts_too(docs):
    docs.search(queries(5)).distance_range(0.01, 1e9).nprobe(10**6).to_arrow()
    assert (touches(docs) == 5).all()


def test_an_exact_search_scans_no_bucket(docs):
    docs.search(queries(1)).exact().to_arrow()
    assert not touches(docs).any()


def test_counts_outlive_a_flush_for_segments_that_stay(docs):
    docs.search(queries(3)).nprobe(10**6).to_arrow()
    n_before = len(touches(docs))
    docs.add(make_table(500, start=5_000))
    docs.flush()
    assert (touches(docs)[:n_before] == 3).all()
    assert len(touches(docs)) > n_before
    assert not touches(docs)[n_before:].any()


def test_counts_of_a_segment_that_was_merged_are_gone(db):
    docs = create(db)
    docs.add(make_table(1_000))
    docs.flush()
    docs.search(queries(3)).nprobe(10**6).to_arrow()
    assert touches(docs).any()
    docs.add(make_table(1_000, start=5_000))
    docs.flush()
    assert docs.stats().segments == 1
    assert not touches(docs).any()


def test_counters_are_those_of_the_buckets_that_were_probed(docs):
    frame = docs.search(queries(1)[0]).limit(1).nprobe(5).explain()
    first, second = np.split(touches(docs), [docs.pin().segments[0].reader.n_buckets])
    assert frame["probed_buckets"].fill_null(0).to_list()[:2] == [first.sum(), second.sum()]
