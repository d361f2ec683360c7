"""Every row against a few queries, by their codes: what calibration takes for the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits, is_allowed
from drift_arrow.kernels.bucket_arrays import BucketArrays, checked_bits
from drift_arrow.kernels.code_block import (
    BLOCK_ROWS,
    BLOCK_WINDOW,
    HAS_BYTE_PRODUCTS,
    block_products,
    block_size,
    turn_block,
)
from drift_arrow.kernels.code_tile import TILE_ROWS, measure_tile, new_scratch, scan_terms
from drift_arrow.kernels.distance import metric_code
from drift_arrow.kernels.fixed_point import quantize_query, split_weights
from drift_arrow.kernels.topk import Heaps, heap_precedes, heap_replace_root


@kernel(inner=True)
def _offer_rows(count: Any, allowed: Any, tile: Any, distances: Any, ids: Any) -> None:
    """Put the rows of a tile into the heap of one query."""
    tile_rows, tile_distances = tile[0], tile[3]
    for i in range(count):
        row, distance = tile_rows[i], tile_distances[i]
        if heap_precedes(distance, row, distances[0], ids[0]) and is_allowed(allowed, row):
            heap_replace_root(distances, ids, distance, row)


@kernel
def _scan_turned(
    queries: Any, terms: Any, buckets: Any, allowed: Any, scratch: Any, group: Any, distances: Any, ids: Any
) -> None:
    origin, factor, _ = terms
    code_address, rows, first_row, lo, step, norms = buckets
    weights, tile = scratch
    planes, turned, sums = group
    tile_rows, products, tile_norms, _ = tile
    n_queries, dim, size = queries.shape[0], np.int64(queries.shape[1]), np.int64(planes.shape[2])
    block, out = np.uint64(turned.ctypes.data), np.uint64(products.ctypes.data)
    for b in range(rows.size):
        for q in range(n_queries):
            product, scale, _ = quantize_query(queries[q], lo[b], step[b], weights)
            split_weights(weights, dim, planes[q])
            sums[q, 0], sums[q, 1] = origin[q] - factor * product, -factor * scale
        first, end = first_row[b], first_row[b] + np.int64(rows[b])
        for start in range(first, end, TILE_ROWS):
            count = min(TILE_ROWS, end - start)
            turn_block(code_address[b] + np.uint64(start - first) * np.uint64(dim), dim, count, block)
            for row in range(count):
                tile_rows[row] = start + row
            if norms.size:
                for row in range(count):
                    tile_norms[row] = norms[start + row]
            for q in range(n_queries):
                block_products(block, size, np.uint64(planes[q].ctypes.data), out)
                if measure_tile(sums[q, 0], sums[q, 1], tile, count, distances[q, 0]):
                    _offer_rows(count, allowed, tile, distances[q], ids[q])


def scan_everything(
    queries: NDArray[np.float32], buckets: BucketArrays, allowed: Bits | None, metric: str, heaps: Heaps
) -> None:
    """Offer all allowed rows to the heap of each query, at the distances of `adc_scan` and with its result.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite; some dozens, whose weights fit into cache.
    buckets, allowed, metric, heaps
        As of `adc_scan`.

    Raises
    ------
    ValueError    as of `adc_scan`

    Notes
    -----
    Where the processor multiplies bytes, blocks of codes are turned once for all queries, which is some times as fast.
    Runs without the GIL.
    """
    dim = buckets.lo.shape[1]
    if not HAS_BYTE_PRODUCTS or dim < BLOCK_WINDOW:
        everywhere = np.tile(np.arange(len(buckets.rows), dtype=np.int64), (len(queries), 1))
        adc_scan(queries, everywhere, buckets, allowed, metric, heaps)
        return
    if len(heaps.ids) != len(queries):
        raise ValueError(f"need as many heaps as queries; got={len(heaps.ids)} queries={len(queries)}")
    code = metric_code(metric)
    queries, terms = scan_terms(queries, buckets, code)
    size = block_size(dim)
    _scan_turned(
        queries,
        terms,
        buckets.arrays(code),
        ALL_ROWS if allowed is None else checked_bits(allowed, buckets),
        new_scratch(dim),
        (
            np.zeros((len(queries), 2, size), np.int8),
            aligned(size * BLOCK_ROWS, np.dtype(np.uint8)),
            np.empty((len(queries), 2), np.float64),
        ),
        heaps.distances,
        heaps.ids,
    )
