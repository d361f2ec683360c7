"""Rows that may be among the k nearest, as far as codes can tell: what is left to rescore.

A code is off by up to half a step per dimension, so a distance from codes is normal around the true one, with a
deviation that is known per query and bucket. A row stays as long as its distance less `MARGIN` of these deviations is
no greater than the k-th best distance: of rows that belong to the k nearest about one in 20,000 is lost, and hardly
more than k rows are rescored where codes are exact enough.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.topk import heap_precedes, heap_replace_root

MARGIN: Final = 5.6
"""Four deviations of the difference of two distances, both of which are off."""


@kernel(inner=True)
def replace_largest(heap: Any, value: Any) -> None:
    """Put a smaller value into a (k,) float32 heap whose root is its largest value, and drop that."""
    slot = 0
    while True:
        child = 2 * slot + 1
        if child >= heap.size:
            break
        if child + 1 < heap.size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= value:
            break
        heap[slot] = heap[child]
        slot = child
    heap[slot] = value


@kernel(inner=True)
def shrink_pool(least: Any, ids: Any, size: Any, bound: Any, best: Any, best_ids: Any) -> Any:
    """Drop rows that cannot be among the nearest, or else all but the best ones; gives how many are left.

    least : (c,) float32, ids : (c,) int64
        Least distances that the first `size` rows may have, and their numbers.
    bound : float32
        The k-th best distance.
    best, best_ids : (n,) float32, (n,) int64
        Scratch; n, at most c, rows are left in the end. Which ones does not depend on the order in which they came.
    """
    kept = 0
    for i in range(size):
        if least[i] <= bound:
            least[kept], ids[kept] = least[i], ids[i]
            kept += 1
    if kept <= best.size:
        return kept
    best[:] = np.float32(np.inf)
    best_ids[:] = -1
    for i in range(kept):
        if heap_precedes(least[i], ids[i], best[0], best_ids[0]):
            heap_replace_root(best, best_ids, least[i], ids[i])
    for i in range(best.size):
        least[i], ids[i] = best[i], best_ids[i]
    return best.size
