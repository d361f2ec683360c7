from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.engine.bucketing import BucketOrder
from drift_arrow.engine.ordered_content import OrderedContent
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.kernels.sq8 import sq8_encode
from tests import oracle


def content(n=1000, dim=24, dtype=np.float32, metric="l2", n_buckets=7):
    rng = np.random.default_rng(0)
    kind = pa.list_(pa.from_numpy_dtype(dtype), dim)
    owner = np.sort(rng.integers(n_buckets, size=n))
    buckets = BucketOrder(
        centroids=rng.standard_normal((n_buckets, dim)).astype(np.float32),
        offsets=np.searchsorted(owner, np.arange(n_buckets + 1)).astype(np.int64),
        order=rng.permutation(n).astype(np.int64),
    )
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), pa.field("v", kind, nullable=False)])
    return OrderedContent(
        spec=SegmentSpec(schema=schema, vector="v", key="id", metric=metric, seqno_range=(1, 1)),
        vectors=rng.standard_normal((n, dim)).astype(dtype),
        fingerprints=rng.integers(2**63, size=(n, 2), dtype=np.uint64),
        table=pa.table({"id": buckets.order}, schema=pa.schema([schema.field("id")])),
        buckets=buckets,
    )


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_extents_hold_all_rows_in_the_order_of_the_segment(dtype, metric, monkeypatch):
    monkeypatch.setattr("drift_arrow.format.segment_extent.EXTENT_ROWS", 300)
    whole = content(dtype=dtype, metric=metric)
    whole.check()
    extents = list(whole.extents())
    assert len(extents) > 3
    for extent in extents:
        extent.check(whole.spec)
    order = whole.buckets.order
    vectors = np.concatenate([extent.vectors for extent in extents])
    assert vectors.dtype == dtype
    np.testing.assert_array_equal(vectors, whole.vectors[order])
    np.testing.assert_array_equal(np.concatenate([e.fingerprints for e in extents]), whole.fingerprints[order])
    assert pa.concat_tables([extent.table for extent in extents]).column("id").to_pylist() == order.tolist()
    rows = whole.vectors[order].astype(np.float32)
    norms = np.concatenate([extent.norms for extent in extents])
    np.testing.assert_allclose(norms, oracle.squares(rows.astype(float)), rtol=1e-5)
    basis = oracle.normalized(rows).astype(np.float32) if metric == "cosine" else rows
    sq8 = sq8_encode(np.ascontiguousarray(basis), whole.buckets.offsets)
    codes = np.concatenate([extent.codes for extent in extents]).astype(int)
    assert abs(codes - sq8.codes).max() <= (1 if metric == "cosine" else 0)
    np.testing.assert_allclose(np.concatenate([extent.lo for extent in extents]), sq8.lo, rtol=1e-5)


def test_the_same_content_gives_the_same_extents_again():
    whole = content()
    first, second = (next(iter(whole.extents())) for _ in range(2))
    assert first.codes.tobytes() == second.codes.tobytes()
    assert first.table.equals(second.table)


def test_parts_of_other_lengths_are_refused():
    whole = content()
    short = OrderedContent(
        spec=whole.spec,
        vectors=whole.vectors[1:],
        fingerprints=whole.fingerprints,
        table=whole.table,
        buckets=whole.buckets,
    )
    with pytest.raises(InvalidArgumentError, match="numbers_of_rows"):
        short.check()
