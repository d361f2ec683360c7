from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine.bucketing import BucketOrder
from drift_arrow.engine.outliers import set_apart
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.kernels.sq8 import sq8_encode


def buckets_of(matrix, sizes):
    return BucketOrder(
        centroids=np.arange(len(sizes), dtype=np.float32)[:, None] * np.ones(matrix.shape[1], np.float32),
        offsets=np.cumsum([0, *sizes]).astype(np.int64),
        order=np.arange(len(matrix))[::-1].copy(),
    )


def with_outliers(n=4000, dim=64, share=0.005, seed=0):
    """Rows of which some have one coordinate that is thousands of times as large as the others."""
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((n, dim)).astype(np.float32)
    wild = rng.choice(n, int(n * share), replace=False)
    matrix[wild, rng.integers(dim, size=len(wild))] *= np.float32(5000)
    return matrix, np.sort(wild)


def test_rows_far_outside_the_ranges_get_a_bucket_of_their_own():
    matrix, wild = with_outliers()
    split = set_apart(matrix, buckets_of(matrix, [1000, 3000]), 1.0, spherical=False)
    sizes = np.diff(split.offsets)
    assert sizes.tolist() == [1000 - sizes[1], sizes[1], 3000 - sizes[3], sizes[3]]
    np.testing.assert_array_equal(split.centroids[:, 0], [0, 0, 1, 1])
    apart = np.concatenate([split.order[split.offsets[b] : split.offsets[b + 1]] for b in (1, 3)])
    np.testing.assert_array_equal(np.sort(apart), wild)
    np.testing.assert_array_equal(np.sort(split.order), np.arange(4000))


def test_codes_of_the_others_are_as_exact_as_without_outliers():
    matrix, wild = with_outliers()
    split = set_apart(matrix, buckets_of(matrix, [4000]), 1.0, spherical=False)
    steps = sq8_encode(matrix[split.order], split.offsets).step
    tame = np.delete(matrix, wild, axis=0)
    np.testing.assert_allclose(steps[0], np.ptp(tame, axis=0) / 255, rtol=1e-5)


@pytest.mark.parametrize("percent", [0.1, 1, 5, 49])
def test_rows_without_outliers_stay_together(percent):
    matrix = np.random.default_rng(1).uniform(-1, 1, (500, 8)).astype(np.float32)
    buckets = buckets_of(matrix, [500]) if percent < 40 else buckets_of(matrix[:15], [15])
    split = set_apart(matrix, buckets, percent, spherical=False)
    assert split.offsets.tolist() == buckets.offsets.tolist()
    np.testing.assert_array_equal(split.order, buckets.order)


@pytest.mark.parametrize("percent", [0.1, 1.0, 5.0])
def test_so_many_rows_are_set_apart_at_most_as_values_are_left_out(percent):
    matrix = np.random.default_rng(1).standard_cauchy((1000, 40)).astype(np.float32)
    split = set_apart(matrix, buckets_of(matrix, [1000]), percent, spherical=False)
    assert np.diff(split.offsets).tolist() == [1000 - 2 * math.ceil(10 * percent), 2 * math.ceil(10 * percent)]


def test_constant_dimensions_and_tiny_buckets_are_kept():
    matrix = np.full((40, 3), 7, np.float32)
    buckets = buckets_of(matrix, [20, 19, 1])
    split = set_apart(matrix, buckets, 1.0, spherical=False)
    assert split.offsets.tolist() == buckets.offsets.tolist()


def recall_of(db, name, matrix, queries, truth, **options):
    docs = db.create_collection(
        name,
        schema=pa.schema([("id", pa.int64()), ("v", pa.list_(pa.float32(), matrix.shape[1]))]),
        vector="v",
        key="id",
        options=drift.Options(**options),
    )
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])
    docs.add(pa.table({"id": np.arange(len(matrix)), "v": vectors}))
    docs.flush()
    found = docs.search(queries).limit(10).nprobe(10_000).select(["id"]).to_arrow()["id"].to_numpy().reshape(-1, 10)
    return np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), truth.tolist(), strict=True)])


def test_a_search_finds_among_outliers_what_it_finds_without_them(db):
    # each coordinate of some rows is wild, so that k-means cannot put all outliers into buckets of their own
    matrix, wild = with_outliers(share=0.03)
    rng = np.random.default_rng(5)
    tame = rng.choice(np.delete(np.arange(len(matrix)), wild), 40, replace=False)
    rows = np.concatenate([tame, wild[:40]])
    queries = (matrix[rows] + rng.standard_normal((80, 64)) * 0.1).astype(np.float32)
    truth = np.stack([np.argsort(np.square(matrix.astype(float) - query).sum(axis=1))[:10] for query in queries])
    stretched = recall_of(db, "stretched", matrix, queries, truth)
    apart = recall_of(db, "apart", matrix, queries, truth, clip_percent=5.0)
    assert stretched < apart - 0.05
    assert apart >= 0.995


def test_the_option_survives_a_reopening(tmp_path):
    schema = pa.schema([("id", pa.int64()), ("v", pa.list_(pa.float32(), 2))])
    with drift.connect(str(tmp_path)) as db:
        db.create_collection("c", schema=schema, vector="v", key="id", options=drift.Options(clip_percent=0.5))
    with drift.connect(str(tmp_path)) as db:
        assert db.collection("c").options.clip_percent == 0.5


@pytest.mark.parametrize("percent", [-0.1, 50, float("nan"), True, "1", None])
def test_other_percentages_are_refused(percent):
    with pytest.raises(InvalidArgumentError, match="clip_percent"):
        drift.Options(clip_percent=percent)
