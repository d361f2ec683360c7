from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drift_arrow.kernels.rank import rank_buckets
from tests import oracle

METRICS = ["l2", "cosine", "dot"]


def random_matrix(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def unit(matrix):
    return oracle.normalized(matrix).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_buckets", [1, 7, 63, 64, 65, 1025])
def test_buckets_come_nearest_first_with_their_distances(metric, n_buckets):
    centroids, queries = random_matrix(n_buckets, 12), random_matrix(3, 12, seed=1)
    centroids = unit(centroids) if metric == "cosine" else centroids
    order, distances = rank_buckets(queries, centroids, metric)
    assert order.dtype == np.int64
    assert distances.dtype == np.float32
    for ranked, got, query in zip(order, distances, queries, strict=True):
        assert sorted(ranked.tolist()) == list(range(n_buckets))
        want = oracle.distances(centroids, query, metric) * (2 if metric == "cosine" else 1)
        np.testing.assert_allclose(got, want[ranked], atol=1e-5)
        assert (np.diff(got) >= 0).all()


def test_equal_centroids_come_in_the_order_of_their_numbers():
    order, _ = rank_buckets(np.ones((1, 3), np.float32), np.zeros((100, 3), np.float32), "dot")
    assert order.tolist() == [list(range(100))]


@pytest.mark.parametrize("metric", METRICS)
def test_a_query_has_the_same_ranking_alone_and_in_a_batch(metric):
    centroids, queries = unit(random_matrix(300, 33)), random_matrix(20, 33, seed=1)
    together = rank_buckets(queries, centroids, metric)
    for q in range(20):
        alone = rank_buckets(queries[q : q + 1], centroids, metric)
        assert alone[0][0].tobytes() == together[0][q].tobytes()
        assert alone[1][0].tobytes() == together[1][q].tobytes()


def test_no_queries_or_no_buckets_rank_nothing():
    matrix = random_matrix(4, 3)
    assert rank_buckets(matrix, matrix[:0], "l2")[0].shape == (4, 0)
    assert rank_buckets(matrix[:0], matrix, "l2")[0].shape == (0, 4)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"metric": "l1"}, "metric"),
        ({"centroids": np.zeros((2, 4), np.float32)}, "centroids"),
        ({"centroids": np.zeros((2, 6), np.float32)[:, ::2]}, "centroids"),
        ({"queries": np.zeros((2, 3))}, "queries"),
    ],
    ids=["unknown metric", "other dim", "strided", "float64"],
)
def test_wrong_arguments_are_refused(change, named):
    right: dict[str, Any] = {
        "queries": np.zeros((1, 3), np.float32),
        "centroids": np.zeros((2, 3), np.float32),
        "metric": "l2",
    }
    with pytest.raises(ValueError, match=named):
        rank_buckets(**(right | change))
