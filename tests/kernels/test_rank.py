from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels.rank import rank_buckets
from tests import oracle

METRICS = ["l2", "cosine", "dot"]


def random_matrix(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_buckets", [1, 7, 8, 9, 1023, 1024, 1025])
def test_buckets_come_nearest_first(metric, n_buckets):
    centroids, queries = random_matrix(n_buckets, 12), random_matrix(3, 12, seed=1)
    got = rank_buckets(queries, centroids, metric, 5)
    assert got.dtype == np.int64
    for ranked, query in zip(got, queries, strict=True):
        scores = oracle.scores(centroids, query, metric)
        np.testing.assert_allclose(scores[ranked], np.sort(scores)[:5], atol=1e-4)


def test_equal_centroids_come_in_the_order_of_their_numbers():
    centroids = np.zeros((6, 3), np.float32)
    assert rank_buckets(np.ones((1, 3), np.float32), centroids, "dot", 4).tolist() == [[0, 1, 2, 3]]


def test_no_more_buckets_are_ranked_than_there_are():
    centroids = random_matrix(4, 3)
    assert sorted(rank_buckets(centroids[:1], centroids, "l2", 100)[0].tolist()) == [0, 1, 2, 3]
    assert rank_buckets(centroids, centroids[:0], "l2", 3).shape == (4, 0)
    assert rank_buckets(centroids[:0], centroids, "l2", 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"n_probe": 0}, "n_probe"),
        ({"metric": "l1"}, "metric"),
        ({"centroids": np.zeros((2, 4), np.float32)}, "matrix"),
        ({"centroids": np.zeros((2, 6), np.float32)[:, ::2]}, "matrix"),
    ],
    ids=["no probe", "unknown metric", "other dim", "strided"],
)
def test_wrong_arguments_are_refused(change, named):
    right = {
        "queries": np.zeros((1, 3), np.float32),
        "centroids": np.zeros((2, 3), np.float32),
        "metric": "l2",
        "n_probe": 1,
    }
    with pytest.raises(ValueError, match=named):
        rank_buckets(**(right | change))
