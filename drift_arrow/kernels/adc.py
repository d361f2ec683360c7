"""Asymmetric distance computation: float queries against the SQ8 codes of the buckets that were picked for them.

Source: Jégou, Douze, Schmid 2011, "Product Quantization for Nearest Neighbor Search", section III-A.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits, is_allowed
from drift_arrow.kernels.bucket_arrays import BucketArrays, checked_bits
from drift_arrow.kernels.code_tile import TILE_ROWS, measure_tile, multiply_tile, new_scratch, scan_terms
from drift_arrow.kernels.distance import metric_code
from drift_arrow.kernels.fixed_point import quantize_query
from drift_arrow.kernels.grouped_heap import Groups, grouping_of, heap_offer
from drift_arrow.kernels.topk import Heaps, heap_precedes, no_floors


@kernel(inner=True)
def _scan_bucket(
    address: Any,
    first_row: Any,
    n_rows: Any,
    dim: Any,
    weights: Any,
    constant: Any,
    gain: Any,
    norms: Any,
    allowed: Any,
    tile: Any,
    floor: Any,
    grouping: Any,
    q: Any,
    distances: Any,
    ids: Any,
) -> None:
    """Offer the rows of a bucket at distance `constant + gain * code_product`, plus their norm if there are any."""
    tile_rows, tile_distances = tile[0], tile[3]
    for start in range(first_row, first_row + n_rows, TILE_ROWS):
        stop = min(start + TILE_ROWS, first_row + n_rows)
        position = address + np.uint64(start - first_row) * np.uint64(dim)
        # loops with one purpose each: memory bounds the first, the second vectorises, the last seldom acts
        n_found = multiply_tile(position, start, stop, dim, weights, norms, allowed, tile)
        if not measure_tile(constant, gain, tile, n_found, distances[0]):
            continue
        for i in range(n_found):
            if floor <= tile_distances[i] <= distances[0]:
                row = tile_rows[i]
                if heap_precedes(tile_distances[i], row, distances[0], ids[0]) and is_allowed(allowed, row):
                    heap_offer(distances, ids, grouping, q, tile_distances[i], row)


@kernel(inner=True)
def _scan_pair(
    query: Any,
    q: Any,
    b: Any,
    terms: Any,
    buckets: Any,
    allowed: Any,
    scratch: Any,
    floors: Any,
    grouping: Any,
    distances: Any,
    ids: Any,
) -> None:
    """Offer the allowed rows of bucket number `b` to the heap of `query`, number `q`.

    terms, buckets, scratch : tuple
        As `scan_terms`, `BucketArrays.arrays` and `new_scratch` give them.
    """
    origin, factor, _ = terms
    code_address, rows, first_row, lo, step, norms = buckets
    weights, tile = scratch
    product, scale, _ = quantize_query(query, lo[b], step[b], weights)
    _scan_bucket(
        code_address[b],
        first_row[b],
        np.int64(rows[b]),
        query.size,
        weights,
        origin[q] - factor * product,
        -factor * scale,
        norms,
        allowed,
        tile,
        floors[q],
        grouping,
        q,
        distances,
        ids,
    )


@kernel
def _adc_scan(
    pair_query: Any,
    pair_bucket: Any,
    queries: Any,
    terms: Any,
    buckets: Any,
    allowed: Any,
    scratch: Any,
    floors: Any,
    grouping: Any,
    distances: Any,
    ids: Any,
) -> None:
    for pair in range(pair_query.size):
        q = pair_query[pair]
        b = pair_bucket[pair]
        _scan_pair(queries[q], q, b, terms, buckets, allowed, scratch, floors, grouping, distances[q], ids[q])


def adc_scan(
    queries: NDArray[np.float32],
    probes: NDArray[np.int64],
    buckets: BucketArrays,
    allowed: Bits | None,
    metric: str,
    heaps: Heaps,
    *,
    floors: NDArray[np.float32] | None = None,
    groups: Groups | None = None,
) -> None:
    """Offer the allowed rows of the probed buckets to the heap of each query, at approximate distances.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite.
    probes : (nq, p) int64
        Buckets to scan for each query, each at most once, nearest first; -1 for none.
    buckets : BucketArrays
        For cosine, of unit vectors.
    allowed : uint8 or None
        Bitmap over global row numbers, at least up to the end of the last bucket; None for all rows.
    metric : str
        A key of `distance.METRIC_CODES`.
    heaps : Heaps
        Of the nq queries; updated in place with global row numbers.
    floors : (nq,) float32, optional
        Rows at a smaller distance from a query are passed over.
    groups : Groups, optional
        Of the heaps; limits how many candidates of a group they hold.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a probe out of range, rows without a group, or unknown metric

    Notes
    -----
    With x the exact row and x' the row that its codes stand for: l2 is |q|**2 + |x|**2 - 2 <q, x'>, dot is -<q, x'>,
    cosine is 1 - <q / |q|, x'>; for rescoring, not for showing. One call serves all segments and runs without the GIL.
    Codes are scanned in place at about the speed of memory. Several queries go bucket by bucket, so that each bucket
    is read from memory once.
    """
    queries = readonly("queries", queries, np.float32, None, buckets.lo.shape[1])
    probes = readonly("probes", probes, np.int64, len(queries), None)
    n_buckets = len(buckets.rows)
    if probes.size and not (probes.min() >= -1 and probes.max() < n_buckets):
        raise ValueError(f"probes must name a bucket or be -1; got={probes.min()}..{probes.max()} buckets={n_buckets}")
    if len(heaps.ids) != len(queries):
        raise ValueError(f"need as many heaps as queries; got={len(heaps.ids)} queries={len(queries)}")
    if groups is not None and len(groups.of_row) < len(buckets.norms):
        raise ValueError(f"every row needs a group; got={len(groups.of_row)} rows={len(buckets.norms)}")
    code = metric_code(metric)
    queries, terms = scan_terms(queries, buckets, code)
    pair_query, pair_bucket = _pairs(probes)
    _adc_scan(
        pair_query,
        pair_bucket,
        queries,
        terms,
        buckets.arrays(code),
        ALL_ROWS if allowed is None else checked_bits(allowed, buckets),
        new_scratch(queries.shape[1]),
        no_floors(len(queries)) if floors is None else readonly("floors", floors, np.float32, len(queries)),
        grouping_of(groups),
        heaps.distances,
        heaps.ids,
    )


def _pairs(probes: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """(query, bucket) of every probe: nearest bucket first for one query, bucket by bucket for several."""
    pair_query, slot = np.nonzero(probes >= 0)
    pair_bucket = probes[pair_query, slot]
    if len(probes) > 1:
        order = np.argsort(pair_bucket, kind="stable")
        pair_query, pair_bucket = pair_query[order], pair_bucket[order]
    return np.ascontiguousarray(pair_query), np.ascontiguousarray(pair_bucket)
