from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.everything import scan_everything
from drift_arrow.kernels.sq8 import sq8_encode
from drift_arrow.kernels.topk import Heaps

METRICS = ["l2", "cosine", "dot"]


def buckets_of(sizes, dim, seed=0):
    """Random rows in buckets, and what keeps their codes alive."""
    matrix = np.random.default_rng(seed).standard_normal((sum(sizes), dim)).astype(np.float32)
    offsets = np.cumsum([0, *sizes]).astype(np.int64)
    sq8 = sq8_encode(matrix, offsets)
    buckets = BucketArrays(
        code_address=np.uint64(sq8.codes.ctypes.data) + offsets[:-1].astype(np.uint64) * np.uint64(dim),
        rows=np.array(sizes, np.uint32),
        first_row=offsets[:-1],
        lo=sq8.lo,
        step=sq8.step,
        norms=np.square(matrix).sum(axis=1),
    )
    return buckets, sq8


def queries_of(n, dim):
    return np.random.default_rng(99).standard_normal((n, dim)).astype(np.float32)


def both_ways(queries, buckets, allowed, metric, k, ceiling=np.inf):
    """Answers of the scan of everything, and of one that names all buckets."""
    together, one_by_one = (Heaps.empty(len(queries), k, ceiling) for _ in range(2))
    scan_everything(queries, buckets, allowed, metric, together)
    everywhere = np.tile(np.arange(len(buckets.rows), dtype=np.int64), (len(queries), 1))
    adc_scan(queries, everywhere, buckets, allowed, metric, one_by_one)
    return together.sorted(), one_by_one.sorted()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 31, 32, 63, 64, 65, 127, 128, 129, 784, 1536])
def test_all_rows_are_offered_as_a_scan_of_all_buckets_offers_them(metric, dim):
    buckets, _alive = buckets_of([70, 0, 1, 63, 64, 65], dim)
    (ids, distances), (want_ids, want_distances) = both_ways(queries_of(5, dim), buckets, None, metric, 40)
    np.testing.assert_array_equal(ids, want_ids)
    np.testing.assert_array_equal(distances, want_distances)


@pytest.mark.parametrize("n_queries", [1, 2, 64])
def test_any_number_of_queries_is_answered(n_queries):
    buckets, _alive = buckets_of([200, 100], 96)
    (ids, _), (want, _) = both_ways(queries_of(n_queries, 96), buckets, None, "l2", 10)
    np.testing.assert_array_equal(ids, want)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.9])
def test_only_allowed_rows_are_offered(share):
    buckets, _alive = buckets_of([300, 50], 64)
    mask = np.random.default_rng(1).random(350) < share
    (ids, _), (want, _) = both_ways(queries_of(4, 64), buckets, bitmap.from_mask(mask), "l2", 20)
    np.testing.assert_array_equal(ids, want)
    assert mask[ids[ids >= 0]].all()


def test_rows_at_the_ceiling_of_a_heap_enter_and_none_beyond_it():
    buckets, _alive = buckets_of([300], 64)
    queries = queries_of(3, 64)
    (_, distances), _ = both_ways(queries, buckets, None, "l2", 10)
    (ids, _), (want, _) = both_ways(queries, buckets, None, "l2", 20, distances[:, 4:5])
    np.testing.assert_array_equal(ids, want)
    assert ((ids >= 0).sum(axis=1) == 5).all()


def test_other_heaps_than_queries_and_short_bitmaps_are_refused():
    buckets, _alive = buckets_of([300], 64)
    with pytest.raises(ValueError, match="heaps"):
        scan_everything(queries_of(3, 64), buckets, None, "l2", Heaps.empty(2, 5))
    with pytest.raises(ValueError, match="allowed"):
        scan_everything(queries_of(3, 64), buckets, np.zeros(3, np.uint8), "l2", Heaps.empty(3, 5))
    with pytest.raises(ValueError, match="queries"):
        scan_everything(queries_of(3, 65), buckets, None, "l2", Heaps.empty(3, 5))
