from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.bucket_table import BucketTable
from drift_arrow.kernels.probe import StopRule, probe_buckets
from drift_arrow.kernels.touches import count_probed
from tests.kernels.test_probe import Table


@pytest.fixture(scope="module")
def table():
    return Table(60)


def counted(order, n_probed, counts):
    touches = np.zeros(len(counts), np.uint32)
    for buckets, n in zip(order.tolist(), n_probed.tolist(), strict=True):
        for bucket in buckets[:n]:
            touches[bucket] += counts[bucket] > 0
    return touches.tolist()


@pytest.mark.parametrize("n_queries", [1, 20])
def test_a_scan_counts_every_bucket_once_per_query(table, n_queries):
    allowed = bitmap.from_mask(table.bucket % 3 > 0)
    counts, touches = table.counts(allowed), np.zeros(60, np.uint32)
    counting = BucketTable(centroids=table.centroids, buckets=table.buckets, touches=touches)
    rule = StopRule(k=5, first=7, n_probe=30)
    probed = probe_buckets(table.queries[:n_queries], counting, counts, allowed, "l2", rule, 40)
    assert touches.tolist() == counted(probed.order, probed.counts, counts)
    assert touches.sum() > 0


def test_counts_add_up_and_wrap_around():
    order, n_probed = np.array([[1, 0, 2], [1, 2, 0]], np.int32), np.array([1, 2])
    touches = np.array([7, 2**32 - 1, 0], np.uint32)
    count_probed(order, n_probed, np.ones(3, np.int64), touches)
    assert touches.tolist() == [7, 1, 1]
    count_probed(order, n_probed, np.array([1, 1, 0]), touches)
    assert touches.tolist() == [7, 3, 1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"order": np.array([[0, 3, 1]], np.int32)}, r"order must name buckets; got=0\.\.3 buckets=3"),
        ({"order": np.array([[0, -1, 1]], np.int32)}, "order must name buckets"),
        ({"n_probed": np.array([4])}, r"at most all 3 buckets can be scanned; got=4\.\.4"),
        ({"n_probed": np.array([-1])}, "at most all 3 buckets"),
        ({"touches": np.zeros(2, np.uint32)}, "touches has the wrong shape"),
        ({"touches": np.zeros(3, np.int64)}, "touches must be an array of uint32"),
    ],
)
def test_what_cannot_be_counted_is_refused(change, message):
    right = {
        "order": np.array([[0, 2, 1]], np.int32),
        "n_probed": np.array([3]),
        "counts": np.ones(3, np.int64),
        "touches": np.zeros(3, np.uint32),
    }
    with pytest.raises(ValueError, match=message):
        count_probed(**(right | change))
