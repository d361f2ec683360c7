"""Scanning buckets for `probe`: rows that may be among the nearest of a query go into its pool."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import is_allowed, is_dense
from drift_arrow.kernels.code_block import BLOCK_WINDOW, HAS_BYTE_PRODUCTS, block_products, turn_block
from drift_arrow.kernels.code_tile import TILE_ROWS, measure_tile, multiply_tile
from drift_arrow.kernels.fixed_point import quantize_query, split_weights
from drift_arrow.kernels.pool import MARGIN, replace_largest, shrink_pool
from drift_arrow.kernels.row_scan import offer_rows

GROUP: Final = 16
"""Queries that use a block of codes once it is turned."""

_LEAST_GROUP: Final = 3
"""From so many queries on, turning a block takes less time than it saves."""


@kernel(inner=True)
def _offer_tile(n_found: Any, q: Any, margin: Any, allowed: Any, tile: Any, pools: Any, best: Any) -> None:
    """Put the rows of a tile that may be among the nearest into the pool of query number `q`."""
    tile_rows, tile_distances = tile[0], tile[3]
    nearest, least, ids, sizes = pools
    bound, size = nearest[q, 0], sizes[q]
    if size + n_found > least.shape[1]:
        size = shrink_pool(least[q], ids[q], size, bound, best[0], best[1])
    for i in range(n_found):
        distance = tile_distances[i]
        if distance <= bound + margin and is_allowed(allowed, tile_rows[i]):
            least[q, size], ids[q, size] = distance - margin, tile_rows[i]
            size += 1
            if distance < bound:
                replace_largest(nearest[q], distance)
                bound = nearest[q, 0]
    sizes[q] = size


@kernel(inner=True)
def _offer_by_words(
    query: Any, q: Any, b: Any, terms: Any, buckets: Any, allowed: Any, scratch: Any, pools: Any, best: Any
) -> None:
    """Offer the allowed rows of bucket number `b` to query number `q`."""
    origin, factor, _ = terms
    code_address, rows, first_row, lo, step, norms = buckets
    weights, tile = scratch[0]
    nearest = pools[0]
    product, scale, deviation = quantize_query(query, lo[b], step[b], weights)
    constant, gain, margin = origin[q] - factor * product, -factor * scale, np.float32(MARGIN * factor * deviation)
    first, end = first_row[b], first_row[b] + np.int64(rows[b])
    for start in range(first, end, TILE_ROWS):
        stop = min(start + TILE_ROWS, end)
        position = code_address[b] + np.uint64(start - first) * np.uint64(query.size)
        # loops with one purpose each: memory bounds the first, the second vectorises, the last seldom acts
        n_found = multiply_tile(position, start, stop, query.size, weights, norms, allowed, tile)
        if measure_tile(constant, gain, tile, n_found, nearest[q, 0] + margin):
            _offer_tile(n_found, q, margin, allowed, tile, pools, best)


@kernel(inner=True)
def _offer_by_bytes(
    query: Any, q: Any, b: Any, terms: Any, buckets: Any, allowed: Any, scratch: Any, pools: Any, best: Any
) -> None:
    """The same where the processor has byte products."""
    code_address, rows, first_row, lo, step, norms = buckets
    dim, first, end = np.int64(query.size), first_row[b], first_row[b] + np.int64(rows[b])
    if dim < BLOCK_WINDOW or not (allowed.size == 0 or is_dense(allowed, first, end)):
        _offer_by_words(query, q, b, terms, buckets, allowed, scratch, pools, best)
        return
    origin, factor, _ = terms
    weights, tile = scratch[0]
    planes = scratch[1][0][0]
    product, scale, deviation = quantize_query(query, lo[b], step[b], weights)
    split_weights(weights, dim, planes)
    sums = (origin[q] - factor * product, -factor * scale, np.float32(MARGIN * factor * deviation))
    for start in range(first, end, TILE_ROWS):
        stop = min(start + TILE_ROWS, end)
        position = code_address[b] + np.uint64(start - first) * np.uint64(dim)
        offer_rows(position, start, stop, dim, q, sums, planes, norms, allowed, tile, pools, best)


_offer_bucket: Any = _offer_by_bytes if HAS_BYTE_PRODUCTS else _offer_by_words


@kernel(inner=True)
def _offer_turned(
    queries: Any, group: Any, b: Any, terms: Any, buckets: Any, allowed: Any, scratch: Any, pools: Any, best: Any
) -> None:
    """Offer the allowed rows of bucket number `b` to up to `GROUP` queries, by blocks that are turned once for all."""
    origin, factor, _ = terms
    code_address, rows, first_row, lo, step, norms = buckets
    weights, tile = scratch[0]
    planes, turned, sums, margins = scratch[1]
    tile_rows, products, tile_norms, _ = tile
    nearest = pools[0]
    dim = np.int64(queries.shape[1])
    for i in range(group.size):
        q = group[i]
        product, scale, deviation = quantize_query(queries[q], lo[b], step[b], weights)
        split_weights(weights, dim, planes[i])
        sums[i, 0], sums[i, 1] = origin[q] - factor * product, -factor * scale
        margins[i] = np.float32(MARGIN * factor * deviation)
    first, end = first_row[b], first_row[b] + np.int64(rows[b])
    block, out, size = np.uint64(turned.ctypes.data), np.uint64(products.ctypes.data), np.int64(planes.shape[2])
    for start in range(first, end, TILE_ROWS):
        count = min(TILE_ROWS, end - start)
        turn_block(code_address[b] + np.uint64(start - first) * np.uint64(dim), dim, count, block)
        for row in range(count):
            tile_rows[row] = start + row
        if norms.size:
            for row in range(count):
                tile_norms[row] = norms[start + row]
        for i in range(group.size):
            q = group[i]
            block_products(block, size, np.uint64(planes[i].ctypes.data), out)
            if measure_tile(sums[i, 0], sums[i, 1], tile, count, nearest[q, 0] + margins[i]):
                _offer_tile(count, q, margins[i], allowed, tile, pools, best)


@kernel(inner=True)
def _offer_one_by_one(
    queries: Any, group: Any, b: Any, terms: Any, buckets: Any, allowed: Any, scratch: Any, pools: Any, best: Any
) -> None:
    """Offer the allowed rows of bucket number `b` to several queries."""
    for q in group:
        _offer_bucket(queries[q], q, b, terms, buckets, allowed, scratch, pools, best)


@kernel(inner=True)
def _offer_together(
    queries: Any, group: Any, b: Any, terms: Any, buckets: Any, allowed: Any, scratch: Any, pools: Any, best: Any
) -> None:
    """The same where the processor has byte products, for as many queries as are worth turning the bucket."""
    first, end = buckets[2][b], buckets[2][b] + np.int64(buckets[1][b])
    is_worth = group.size >= _LEAST_GROUP and queries.shape[1] >= BLOCK_WINDOW
    if is_worth and (allowed.size == 0 or is_dense(allowed, first, end)):
        _offer_turned(queries, group, b, terms, buckets, allowed, scratch, pools, best)
    else:
        _offer_one_by_one(queries, group, b, terms, buckets, allowed, scratch, pools, best)


_offer_to_group: Any = _offer_together if HAS_BYTE_PRODUCTS else _offer_one_by_one


@kernel(inner=True)
def scan_windows(
    queries: Any,
    terms: Any,
    buckets: Any,
    counts: Any,
    allowed: Any,
    order: Any,
    n_probed: Any,
    upto: Any,
    scratch: Any,
    sorting: Any,
    pools: Any,
    best: Any,
) -> None:
    """Scan the buckets at the places [n_probed, upto) of each query, but for those without an allowed row.

    One query goes nearest first; several go bucket by bucket, so that each bucket is read once for all that want it.
    Which rows a query finds does not depend on that.
    """
    if queries.shape[0] == 1:
        for bucket in order[0, n_probed[0] : upto[0]]:
            if counts[bucket]:
                _offer_bucket(queries[0], 0, bucket, terms, buckets, allowed, scratch, pools, best)
        return
    starts, members = sorting
    starts[:] = 0
    for q in range(queries.shape[0]):
        for bucket in order[q, n_probed[q] : upto[q]]:
            if counts[bucket]:
                starts[bucket + 1] += 1
    for b in range(1, starts.size):
        starts[b] += starts[b - 1]
    for q in range(queries.shape[0]):
        for bucket in order[q, n_probed[q] : upto[q]]:
            if counts[bucket]:
                members[starts[bucket]] = q
                starts[bucket] += 1
    # each start has moved to the next bucket's
    begin = 0
    for bucket in range(starts.size - 1):
        while begin < starts[bucket]:
            group = members[begin : min(begin + GROUP, starts[bucket])]
            _offer_to_group(queries, group, bucket, terms, buckets, allowed, scratch, pools, best)
            begin += group.size
