"""A few hundred queries of many are kept, recent ones rather than old ones."""

from __future__ import annotations

import numpy as np

from drift_arrow.engine.signs.query_sample import REMEMBERED_QUERIES, SAMPLED_QUERIES, QuerySample
from tests.tables import create, make_table, matrix_of


def numbered(start, stop):
    return np.arange(start, stop, dtype=np.float32)[:, np.newaxis]


def kept(sample):
    return sample.vectors(SAMPLED_QUERIES)[:, 0]


def test_the_first_queries_are_all_kept():
    sample = QuerySample()
    assert sample.vectors(5).shape == (0, 0)
    for number in range(SAMPLED_QUERIES):
        sample.offer(numbered(number, number + 1))
    assert sorted(kept(sample)) == list(range(SAMPLED_QUERIES))
    assert len(sample.vectors(100)) == 100


def test_the_sample_is_spread_over_what_it_remembers():
    sample = QuerySample()
    for start in range(0, REMEMBERED_QUERIES, 64):
        sample.offer(numbered(start, start + 64))
    # the standard error of the mean of 512 uniform places is 1.3 %
    assert 0.4 < kept(sample).mean() / REMEMBERED_QUERIES < 0.6


def test_old_queries_are_forgotten_at_last():
    sample = QuerySample()
    sample.offer(numbered(0, REMEMBERED_QUERIES))
    for start in range(REMEMBERED_QUERIES, 8 * REMEMBERED_QUERIES, 1_000):
        sample.offer(numbered(start, start + 1_000))
    assert (kept(sample) < REMEMBERED_QUERIES).sum() < 10


def test_searches_offer_their_queries(db):
    docs = create(db)
    docs.add(make_table(100))
    queries = matrix_of(make_table(3, start=10**6))
    docs.search(queries[0]).to_arrow()
    docs.search(queries[1:]).where("lang = 'en'").to_polars()
    found = docs.pin().observations.queries.vectors(10)
    assert {row.tobytes() for row in found} == {row.tobytes() for row in queries}
