from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.probing import count_allowed, cumulative_shares
from tests import oracle

METRICS = ["l2", "cosine", "dot"]


def ranked(n_queries, n_buckets, *, seed=0):
    """Distances, counts, radii and lengths of queries; radii lie among the distances."""
    random = np.random.default_rng(seed)
    distances = np.sort(random.uniform(0.1, 4, (n_queries, n_buckets)).astype(np.float32), axis=1)
    counts = random.integers(0, 400, (n_queries, n_buckets))
    return distances, counts, random.uniform(0.2, 3, n_queries), random.uniform(0.5, 2, n_queries)


def shares(distances, counts, radii, lengths, metric="l2", spread=0.5, effective_dim=8.0):
    return cumulative_shares(
        np.asarray(distances, np.float32),
        np.asarray(counts, np.int64),
        np.asarray(radii, np.float64),
        np.asarray(lengths, np.float64),
        metric,
        spread=spread,
        effective_dim=effective_dim,
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_buckets", [1, 2, 7, 300])
@pytest.mark.parametrize("effective_dim", [0.5, 8.0, 100.0])
def test_shares_equal_those_of_normal_distances(metric, n_buckets, effective_dim):
    distances, counts, radii, lengths = ranked(5, n_buckets)
    got = shares(distances, counts, radii, lengths, metric, 0.7, effective_dim)
    for q in range(5):
        rows = oracle.expected_rows(
            distances[q].astype(float), counts[q].astype(float), radii[q], lengths[q], metric, 0.7, effective_dim
        )
        np.testing.assert_allclose(got[q], np.cumsum(rows) / rows.sum(), rtol=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_shares_ascend_to_one(metric):
    distances, counts, radii, lengths = ranked(20, 50)
    got = shares(distances, counts, radii, lengths, metric)
    assert (np.diff(got, axis=1) >= 0).all()
    np.testing.assert_array_equal(got[:, -1], 1)


def test_the_model_is_that_of_rows_spread_normally_around_their_centroid():
    random, dim, spread = np.random.default_rng(1), 64, 2.0
    centroids = np.zeros((2, dim))
    centroids[1, 0] = 1.0
    query, radius = np.full(dim, 0.05), 2.0
    rows = centroids[:, np.newaxis] + random.standard_normal((2, 20_000, dim)) * np.sqrt(spread / dim)
    inside = (oracle.squares(rows - query) < radius).sum(axis=1)
    got = shares([oracle.squares(centroids - query)], [[1, 1]], [radius], [1.0], "l2", spread, dim)
    assert got[0, 0] == pytest.approx(inside[0] / inside.sum(), abs=0.05)


def test_a_bucket_without_allowed_rows_holds_no_share():
    got = shares([[0.1, 0.2, 0.3]], [[0, 5, 0]], [0.5], [1])
    np.testing.assert_array_equal(got, [[0, 1, 1]])


@pytest.mark.parametrize(
    ("distances", "radius", "spread"),
    [([0, 0], 0, 0), ([1, 2], 1, 0), ([3e38, 3e38], 0, 1e-3), ([1, np.inf], 1, 1), ([1e30, 2e30], 1e30, 1e30)],
    ids=["all equal", "no spread", "nothing expected", "infinite", "huge"],
)
@pytest.mark.parametrize("metric", METRICS)
def test_shares_stay_finite_at_the_edges(distances, radius, spread, metric):
    got = shares([distances], [[3, 3]], [radius], [1], metric, spread)
    assert ((got >= 0) & (got <= 1)).all()
    assert got[0, -1] == 1


def test_no_queries_and_no_buckets_have_no_shares():
    assert shares(np.empty((0, 4)), np.empty((0, 4)), [], []).shape == (0, 4)
    assert shares(np.empty((2, 0)), np.empty((2, 0)), [1, 1], [1, 1]).shape == (2, 0)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 1])
def test_allowed_rows_are_counted_per_bucket(share):
    random = np.random.default_rng(0)
    sizes = random.integers(0, 40, 50)
    first_row = np.cumsum([3, *sizes[:-1]])
    mask = random.random(3 + sizes.sum() + 5) < share
    got = count_allowed(first_row, sizes.astype(np.uint32), bitmap.from_mask(mask))
    want = [mask[start : start + size].sum() for start, size in zip(first_row, sizes, strict=True)]
    assert got.tolist() == want


def test_a_bucket_may_end_with_the_bitmap():
    full = bitmap.full(16)
    assert count_allowed(np.array([0, 9]), np.array([9, 7], np.uint32), full).tolist() == [9, 7]


def test_without_a_bitmap_all_rows_are_allowed():
    assert count_allowed(np.array([0, 9]), np.array([9, 7], np.uint32), None).tolist() == [9, 7]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"distances": np.zeros((1, 2))}, "distances"),
        ({"counts": np.zeros((1, 3), np.int64)}, "counts"),
        ({"radii": np.zeros(2)}, "radii"),
        ({"lengths": np.zeros(1, np.float32)}, "lengths"),
        ({"metric": "l1"}, "metric"),
        ({"spread": -1.0}, "spread"),
        ({"spread": np.nan}, "spread"),
        ({"effective_dim": 0.0}, "effective_dim"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(change, named):
    right = {
        "distances": np.zeros((1, 2), np.float32),
        "counts": np.zeros((1, 2), np.int64),
        "radii": np.zeros(1),
        "lengths": np.zeros(1),
        "metric": "l2",
        "spread": 1.0,
        "effective_dim": 1.0,
    }
    with pytest.raises(ValueError, match=named):
        cumulative_shares(**(right | change))


def test_a_bitmap_that_ends_before_a_bucket_is_refused():
    with pytest.raises(ValueError, match="bitmap"):
        count_allowed(np.array([0]), np.array([9], np.uint32), bitmap.full(8))
