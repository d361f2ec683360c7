from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.engine.bucketing import count_buckets, group_rows, sort_by_bucket
from drift_arrow.kernels.kmeans import assign_buckets, train_centroids


def rows_of(n, dim=6, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


@pytest.mark.parametrize("n_rows", [0, 1, 2, 3, 10, 10_000])
def test_the_number_of_buckets_grows_with_the_rows_and_is_never_zero(n_rows):
    assert 1 <= count_buckets(n_rows) <= count_buckets(n_rows + 1) <= max(n_rows + 1, 1)


@pytest.mark.parametrize("spherical", [False, True])
def test_every_row_is_owned_by_its_closest_centroid(spherical):
    rows = rows_of(500)
    centroids, owner = group_rows(rows, 20, seed=1, spherical=spherical)
    assert centroids.shape == (20, 6)
    np.testing.assert_array_equal(owner, assign_buckets(rows, centroids, spherical=spherical))


def test_the_same_seed_and_rows_give_the_same_groups_however_many_threads_there_are():
    rows = rows_of(20_000)
    first, second = (group_rows(rows, 40, seed=3, spherical=False, n_threads=n) for n in (1, 3))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()


def test_groups_start_from_given_centroids():
    rows = np.concatenate([rows_of(200), rows_of(200) + 100]).astype(np.float32)
    initial = np.array([[100.0] * 6, [0.0] * 6], np.float32)
    centroids, owner = group_rows(rows, 2, seed=0, spherical=False, initial=initial)
    assert owner.tolist() == [1] * 200 + [0] * 200
    assert initial.tolist() == [[100.0] * 6, [0.0] * 6]
    assert abs(centroids - initial).max() < 1


def test_training_without_rounds_keeps_given_centroids():
    initial = rows_of(3)
    got = train_centroids(rows_of(10, seed=1), 3, seed=0, iterations=0, spherical=False, initial=initial)
    np.testing.assert_array_equal(got, initial)


@pytest.mark.parametrize("shape", [(2, 6), (3, 5)])
def test_given_centroids_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match="initial"):
        train_centroids(rows_of(10), 3, seed=0, spherical=False, initial=np.zeros(shape, np.float32))


def test_a_segment_holds_bucket_after_bucket_and_none_is_empty():
    order = sort_by_bucket(rows_of(4), np.array([3, 0, 3, 1, 0], np.uint32), 100)
    assert order.offsets.tolist() == [0, 2, 3, 5]
    assert order.order.tolist() == [1, 4, 3, 0, 2]
    np.testing.assert_array_equal(order.centroids, rows_of(4)[[0, 1, 3]])


def test_a_bucket_too_large_for_a_block_becomes_several_of_one_centroid():
    order = sort_by_bucket(rows_of(2), np.array([1, 1, 0, 1, 1, 1], np.uint32), 2)
    assert order.offsets.tolist() == [0, 1, 3, 5, 6]
    np.testing.assert_array_equal(order.centroids, rows_of(2)[[0, 1, 1, 1]])
