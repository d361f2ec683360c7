"""A few rows of codes, as they stand in memory, against one query: what single queries spend their time in."""

from __future__ import annotations

from typing import Any

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import is_allowed
from drift_arrow.kernels.pool import replace_largest, shrink_pool
from drift_arrow.kernels.row_products import row_products


@kernel(inner=True)
def _measure(constant: Any, gain: Any, products: Any, norms: Any, distances: Any, bound: Any) -> Any:
    """Distances as by `code_tile.measure_tile`, and how many of them are at most `bound`; norms may be none."""
    n_near = 0
    if norms.size:
        for i in range(products.size):
            distance = np.float32(constant + gain * np.float64(products[i]) + np.float64(norms[i]))
            distances[i] = distance
            n_near += distance <= bound
    else:
        for i in range(products.size):
            distance = np.float32(constant + gain * np.float64(products[i]))
            distances[i] = distance
            n_near += distance <= bound
    return n_near


@kernel(inner=True)
def _offer(distances: Any, first: Any, q: Any, margin: Any, allowed: Any, pools: Any, best: Any) -> None:
    """Put the rows from number `first` on that may be among the nearest into the pool of query number `q`."""
    heap, least, ids = pools[0][q], pools[1][q], pools[2][q]
    bound, size = heap[0], pools[3][q]
    if size + distances.size > least.size:
        size = shrink_pool(least, ids, size, bound, best[0], best[1])
    for i in range(distances.size):
        distance = distances[i]
        if distance <= bound + margin and is_allowed(allowed, first + i):
            least[size], ids[size] = distance - margin, first + i
            size += 1
            if distance < bound:
                replace_largest(heap, distance)
                bound = heap[0]
    pools[3][q] = size


@kernel(inner=True)
def offer_rows(
    address: Any,
    start: Any,
    stop: Any,
    dim: Any,
    q: Any,
    sums: Any,
    planes: Any,
    norms: Any,
    allowed: Any,
    tile: Any,
    pools: Any,
    best: Any,
) -> None:
    """Offer the allowed rows of [start, stop), whose codes begin at an address, to query number `q`.

    dim : int64     at least `BLOCK_WINDOW`, on a processor that `HAS_BYTE_PRODUCTS`
    sums : what to add to products of codes and by what to multiply them, and the margin of the distances
    planes : weights as by `split_weights`
    """
    constant, gain, margin = sums
    products, distances = tile[1][: stop - start], tile[3][: stop - start]
    row_products(address, dim, stop - start, np.uint64(planes.ctypes.data), np.uint64(products.ctypes.data))
    bound = pools[0][q, 0] + margin
    if _measure(constant, gain, products, norms[start:stop], distances, bound):
        _offer(distances, start, q, margin, allowed, pools, best)
