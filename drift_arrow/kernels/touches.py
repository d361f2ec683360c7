"""How often each bucket was scanned: one counter per bucket, which every query that scans it adds one to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel


@kernel
def touch_probed(order: Any, n_probed: Any, counts: Any, touches: Any) -> None:
    """Count the first `n_probed` buckets of each query's `order`, but for those without an allowed row; trusted."""
    for q in range(n_probed.size):
        for bucket in order[q, : n_probed[q]]:
            if counts[bucket]:
                touches[bucket] += np.uint32(1)


def count_probed(
    order: NDArray[np.int32], n_probed: NDArray[np.int64], counts: NDArray[np.int64], touches: NDArray[np.uint32]
) -> None:
    """Add one to the counter of every bucket that a query scanned, once per query.

    Parameters
    ----------
    order : (nq, B) int32
        Buckets of each query as they were ranked.
    n_probed : (nq,) int64
        How many of them were scanned, at most B.
    counts : (B,) int64
        Allowed rows of each bucket: one without any was passed over.
    touches : (B,) uint32
        Updated in place; wraps around, so that differences stay right modulo 2**32.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a bucket that does not exist

    Notes
    -----
    Without the GIL and without locks: of two threads that count the same bucket at the same moment one may be lost,
    which does no harm to a measure of heat. O(buckets scanned).
    """
    n_buckets = len(readonly("counts", counts, np.int64, None))
    check_writable("touches", touches, np.uint32, n_buckets)
    check_writable("order", order, np.int32, None, n_buckets)
    check_writable("n_probed", n_probed, np.int64, len(order))
    if len(order) and not (n_probed.min() >= 0 and n_probed.max() <= n_buckets):
        raise ValueError(f"at most all {n_buckets} buckets can be scanned; got={n_probed.min()}..{n_probed.max()}")
    if order.size and not (order.min() >= 0 and order.max() < n_buckets):
        raise ValueError(f"order must name buckets; got={order.min()}..{order.max()} buckets={n_buckets}")
    touch_probed(order, n_probed, readonly("counts", counts, np.int64, n_buckets), touches)
