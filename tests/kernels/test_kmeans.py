from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.kmeans import assign_buckets, train_centroids
from tests import oracle


def random_matrix(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def clusters(n, dim=8, n_clusters=5, seed=0):
    """Rows around well separated centres, and the cluster of each."""
    rng = np.random.default_rng(seed)
    owner = rng.integers(n_clusters, size=n)
    centres = np.eye(n_clusters, dim) * 20
    return (centres[owner] + rng.standard_normal((n, dim))).astype(np.float32), owner


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1023, 1024, 1025])
def test_rows_go_to_the_closest_centroid(spherical, n):
    matrix, centroids = random_matrix(n, 6), random_matrix(9, 6, seed=1)
    got = assign_buckets(matrix, centroids, spherical=spherical)
    assert got.dtype == np.uint32
    np.testing.assert_array_equal(got, oracle.closest(matrix, centroids, spherical=spherical))


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("dim", [*range(1, 71), 1536, 4096])
def test_rows_go_to_the_closest_centroid_at_every_dimension(dim, spherical):
    matrix, centroids = random_matrix(23, dim), random_matrix(67, dim, seed=1)
    got = assign_buckets(matrix, centroids, spherical=spherical)
    np.testing.assert_array_equal(got, oracle.closest(matrix, centroids, spherical=spherical))


@pytest.mark.parametrize("n_centroids", [1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129])
def test_rows_go_to_the_closest_of_any_number_of_centroids(n_centroids):
    matrix, centroids = random_matrix(50, 5), random_matrix(n_centroids, 5, seed=1)
    got = assign_buckets(matrix, centroids, spherical=False)
    np.testing.assert_array_equal(got, oracle.closest(matrix, centroids, spherical=False))


@pytest.mark.parametrize("part_rows", [1, 2, 5, 6, 7, 95, 96, 97, 300])
def test_the_closest_centroid_does_not_depend_on_how_rows_are_cut(part_rows):
    matrix, centroids = random_matrix(300, 33), random_matrix(90, 33, seed=1)

    def run(work, n_rows, _):
        for start in reversed(range(0, n_rows, part_rows)):
            work(start, min(start + part_rows, n_rows))

    cut = assign_buckets(matrix, centroids, spherical=False, run=run)
    np.testing.assert_array_equal(cut, assign_buckets(matrix, centroids, spherical=False))
    trained = train_centroids(matrix, 20, seed=0, spherical=False, run=run)
    assert trained.tobytes() == train_centroids(matrix, 20, seed=0, spherical=False).tobytes()


@pytest.mark.parametrize("scale", [1e-42, 1e-20, 1e18, 1e30])
def test_values_of_any_size_have_a_bucket(scale):
    matrix = random_matrix(20, 8) * np.float32(scale)
    assert assign_buckets(matrix, matrix, spherical=False).max() < 20


def test_rows_of_many_blocks_go_to_the_closest_centroid():
    matrix, centroids = random_matrix(700, 2), random_matrix(2000, 2, seed=1)
    got = assign_buckets(matrix, centroids, spherical=False)
    costs = np.array([oracle.scores(centroids, row, "l2") for row in matrix])
    np.testing.assert_allclose(costs[np.arange(700), got], costs.min(axis=1), atol=1e-5)


@given(rows=st.lists(st.lists(st.integers(-3, 3), min_size=2, max_size=2), min_size=1, max_size=30))
def test_ties_go_to_the_lowest_number(rows):
    matrix = np.array(rows, np.float32)
    centroids = np.array([[1, 0], [0, 1], [1, 0], [-1, 0], [0, 0]], np.float32)
    got = assign_buckets(matrix, centroids, spherical=False)
    np.testing.assert_array_equal(got, oracle.closest(matrix, centroids, spherical=False))


def test_read_only_rows_are_assigned():
    matrix = random_matrix(5, 3)
    matrix.flags.writeable = False
    assert assign_buckets(matrix, matrix, spherical=False).tolist() == list(range(5))


@pytest.mark.parametrize("seed", range(3))
def test_separated_clusters_are_found(seed):
    sample, owner = clusters(500)
    labels = assign_buckets(sample, train_centroids(sample, 20, seed=seed, spherical=False), spherical=False)
    assert all(len(set(owner[labels == label])) == 1 for label in set(labels.tolist()))


def test_centroids_are_the_means_of_their_rows_once_they_settle():
    sample, _ = clusters(300)
    centroids = train_centroids(sample, 5, seed=3, iterations=100, spherical=False)
    labels = assign_buckets(sample, centroids, spherical=False)
    means = [sample[labels == label].astype(float).mean(axis=0) for label in range(5)]
    np.testing.assert_allclose(centroids, means, rtol=1e-5, atol=1e-5)


def test_more_rounds_do_not_raise_the_squared_error():
    sample = random_matrix(2000, 4)
    errors = []
    for rounds in range(6):
        centroids = train_centroids(sample, 30, seed=1, iterations=rounds, spherical=False)
        labels = assign_buckets(sample, centroids, spherical=False)
        errors.append(float(oracle.squares(sample.astype(float) - centroids[labels]).sum()))
    assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("spherical", [False, True])
def test_a_seed_decides_the_centroids(spherical):
    sample = oracle.normalized(random_matrix(400, 6)).astype(np.float32)
    first, second, other = (train_centroids(sample, 12, seed=seed, spherical=spherical) for seed in (5, 5, 6))
    assert first.tobytes() == second.tobytes() != other.tobytes()


def test_spherical_centroids_are_unit_vectors():
    sample = oracle.normalized(random_matrix(400, 6)).astype(np.float32)
    centroids = train_centroids(sample, 12, seed=0, spherical=True)
    np.testing.assert_allclose(oracle.squares(centroids.astype(float)), 1, atol=1e-6)


def test_no_bucket_stays_empty_when_rows_are_distinct():
    # most starting points fall into one heap, so that others must take over its rows
    sample = np.concatenate([random_matrix(1000, 3) * np.float32(0.01), random_matrix(24, 3) * np.float32(100)])
    centroids = train_centroids(sample, 64, seed=0, iterations=20, spherical=False)
    assert len(set(assign_buckets(sample, centroids, spherical=False).tolist())) == 64


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize(("n", "n_buckets"), [(1, 1), (1, 8), (7, 8), (8, 8), (9, 8)])
def test_few_rows_give_the_asked_number_of_finite_centroids(n, n_buckets, spherical):
    sample = oracle.normalized(random_matrix(n, 4)).astype(np.float32)
    centroids = train_centroids(sample, n_buckets, seed=0, spherical=spherical)
    assert centroids.shape == (n_buckets, 4)
    assert centroids.dtype == np.float32
    assert np.isfinite(centroids).all()


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_equal_rows_are_their_own_centroid(value, spherical):
    sample = np.full((50, 4), value, np.float32)
    centroids = train_centroids(sample, 8, seed=0, spherical=spherical)
    labels = assign_buckets(sample, centroids, spherical=spherical)
    assert len(set(labels.tolist())) == 1
    np.testing.assert_allclose(centroids[labels[0]], sample[0], rtol=0.02)


def test_no_rows_give_zeros():
    assert train_centroids(np.empty((0, 3), np.float32), 2, seed=0, spherical=False).tolist() == [[0] * 3] * 2


@pytest.mark.parametrize("change", [{"n_buckets": 0}, {"seed": -1}, {"iterations": -1}])
def test_numbers_out_of_range_are_refused(change):
    right = {"n_buckets": 2, "seed": 0, "iterations": 1}
    with pytest.raises(ValueError, match=next(iter(change))):
        train_centroids(np.zeros((3, 2), np.float32), **(right | change), spherical=False)


@pytest.mark.parametrize(
    ("matrix", "centroids"),
    [
        (np.zeros((3, 2), np.float32), np.zeros((0, 2), np.float32)),
        (np.zeros((3, 2), np.float32), np.zeros((1, 3), np.float32)),
        (np.zeros((3, 2)), np.zeros((1, 2), np.float32)),
        (np.zeros((3, 4), np.float32)[:, ::2], np.zeros((1, 2), np.float32)),
    ],
    ids=["no centroid", "other dim", "float64", "strided"],
)
def test_other_matrices_are_refused(matrix, centroids):
    with pytest.raises(ValueError, match=r"matrix|centroid"):
        assign_buckets(matrix, centroids, spherical=False)
