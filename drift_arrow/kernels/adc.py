"""Asymmetric distance computation: float queries against the SQ8 codes of the buckets that were picked for them.

Source: Jégou, Douze, Schmid 2011, "Product Quantization for Nearest Neighbor Search", section III-A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits, is_allowed, is_dense, next_allowed
from drift_arrow.kernels.code_product import code_product, weights_size
from drift_arrow.kernels.distance import L2, METRIC_CODES, metric_code, normalize_rows
from drift_arrow.kernels.fixed_point import quantize_query
from drift_arrow.kernels.topk import Heaps, heap_precedes, heap_replace_root

_COSINE: Final = METRIC_CODES["cosine"]
TILE_ROWS: Final = 64
"""Rows between two looks at a heap, for which a filter is judged dense or sparse at once."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketArrays:
    """Every bucket of every segment of a snapshot, structure of arrays, under one numbering of rows.

    Parameters
    ----------
    code_address : (B,) uint64
        Where the (rows, dim) uint8 codes of each bucket start, row after row. Whoever scans keeps that memory alive:
        a stale address is a crash or a wrong answer, not an error.
    rows : (B,) uint32
        Rows of each bucket.
    first_row : (B,) int64
        Global number of the first row of each bucket; the others follow.
    lo, step : (B, dim) float32
        A code c stands for `lo + step * c`, per dimension.
    norms : (N,) float32
        Exact squared length of every row, by global number.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or rows past the end of `norms`
    """

    code_address: NDArray[np.uint64]
    rows: NDArray[np.uint32]
    first_row: NDArray[np.int64]
    lo: NDArray[np.float32]
    step: NDArray[np.float32]
    norms: NDArray[np.float32]

    def __post_init__(self) -> None:
        n_buckets = len(readonly("code_address", self.code_address, np.uint64, None))
        readonly("rows", self.rows, np.uint32, n_buckets)
        readonly("first_row", self.first_row, np.int64, n_buckets)
        readonly("lo", self.lo, np.float32, n_buckets, None)
        readonly("step", self.step, np.float32, *self.lo.shape)
        readonly("norms", self.norms, np.float32, None)
        if n_buckets and not (self.first_row.min() >= 0 and (self.first_row + self.rows).max() <= len(self.norms)):
            raise ValueError(f"buckets must lie within the rows that have a norm; rows={len(self.norms)}")


@kernel(inline=True)
def _multiply_tile(
    address: Any, start: Any, stop: Any, dim: Any, weights: Any, allowed: Any, tile_rows: Any, products: Any
) -> Any:
    """Code products of the rows of [start, stop) that are worth reading, and how many these are."""
    if allowed.size == 0 or is_dense(allowed, start, stop):
        for i in range(stop - start):
            tile_rows[i] = start + i
            products[i] = code_product(address + np.uint64(i) * np.uint64(dim), dim, weights)
        return stop - start
    n_found = 0
    row = next_allowed(allowed, start, stop)
    while row < stop:
        tile_rows[n_found] = row
        products[n_found] = code_product(address + np.uint64(row - start) * np.uint64(dim), dim, weights)
        n_found += 1
        row = next_allowed(allowed, row + 1, stop)
    return n_found


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
    distances: Any,
    ids: Any,
) -> None:
    """Offer the rows of a bucket at distance `constant + gain * code_product`, plus their norm if there are any."""
    tile_rows, products, tile_norms, tile_distances = tile
    for start in range(first_row, first_row + n_rows, TILE_ROWS):
        stop = min(start + TILE_ROWS, first_row + n_rows)
        position = address + np.uint64(start - first_row) * np.uint64(dim)
        # loops with one purpose each: memory bounds the first, the next two vectorise, the last seldom acts
        n_found = _multiply_tile(position, start, stop, dim, weights, allowed, tile_rows, products)
        if norms.size:
            for i in range(n_found):
                tile_norms[i] = norms[tile_rows[i]]
        for i in range(n_found):
            tile_distances[i] = np.float32(constant + gain * np.float64(products[i]) + np.float64(tile_norms[i]))
        for i in range(n_found):
            if tile_distances[i] <= distances[0]:
                row = tile_rows[i]
                if heap_precedes(tile_distances[i], row, distances[0], ids[0]) and is_allowed(allowed, row):
                    heap_replace_root(distances, ids, tile_distances[i], row)


@kernel
def _adc_scan(
    pair_query: Any,
    pair_bucket: Any,
    queries: Any,
    code_address: Any,
    rows: Any,
    first_row: Any,
    lo: Any,
    step: Any,
    norms: Any,
    allowed: Any,
    origin: Any,
    factor: Any,
    weights: Any,
    tile: Any,
    distances: Any,
    ids: Any,
) -> None:
    """Scan bucket after bucket; a distance is `origin[query] - factor * <query, row>`, plus the norm of the row."""
    for pair in range(pair_query.size):
        q = pair_query[pair]
        b = pair_bucket[pair]
        product, scale = quantize_query(queries[q], lo[b], step[b], weights)
        _scan_bucket(
            code_address[b],
            first_row[b],
            np.int64(rows[b]),
            queries.shape[1],
            weights,
            origin[q] - factor * product,
            -factor * scale,
            norms,
            allowed,
            tile,
            distances[q],
            ids[q],
        )


def adc_scan(
    queries: NDArray[np.float32],
    probes: NDArray[np.int64],
    buckets: BucketArrays,
    allowed: Bits | None,
    metric: str,
    heaps: Heaps,
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

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a probe out of range, or unknown metric

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
    code = metric_code(metric)
    if code == _COSINE:
        queries = readonly("queries", normalize_rows(queries), np.float32, *queries.shape)
    lengths = np.square(queries, dtype=np.float64).sum(axis=1)
    origin = {"l2": lengths, "cosine": np.ones_like(lengths), "dot": np.zeros_like(lengths)}[metric]
    pair_query, pair_bucket = _pairs(probes)
    _adc_scan(
        pair_query,
        pair_bucket,
        queries,
        readonly("code_address", buckets.code_address, np.uint64, n_buckets),
        readonly("rows", buckets.rows, np.uint32, n_buckets),
        readonly("first_row", buckets.first_row, np.int64, n_buckets),
        readonly("lo", buckets.lo, np.float32, n_buckets, queries.shape[1]),
        readonly("step", buckets.step, np.float32, n_buckets, queries.shape[1]),
        readonly("norms", buckets.norms[: None if code == L2 else 0], np.float32, None),
        ALL_ROWS if allowed is None else _checked_bits(allowed, buckets),
        origin,
        2.0 if code == L2 else 1.0,
        np.zeros(weights_size(queries.shape[1]), np.int16),
        _new_tile(),
        heaps.distances,
        heaps.ids,
    )


def _new_tile() -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32], NDArray[np.float32]]:
    """Row numbers, code products, norms and distances of the rows of one tile."""
    return (
        np.empty(TILE_ROWS, np.int64),
        np.empty(TILE_ROWS, np.int32),
        np.zeros(TILE_ROWS, np.float32),
        np.empty(TILE_ROWS, np.float32),
    )


def _pairs(probes: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """(query, bucket) of every probe: nearest bucket first for one query, bucket by bucket for several."""
    pair_query, slot = np.nonzero(probes >= 0)
    pair_bucket = probes[pair_query, slot]
    if len(probes) > 1:
        order = np.argsort(pair_bucket, kind="stable")
        pair_query, pair_bucket = pair_query[order], pair_bucket[order]
    return np.ascontiguousarray(pair_query), np.ascontiguousarray(pair_bucket)


def _checked_bits(allowed: Bits, buckets: BucketArrays) -> Bits:
    bits = readonly("allowed", allowed, np.uint8, None)
    end = int((buckets.first_row + buckets.rows).max(initial=0))
    if 8 * len(bits) < end:
        raise ValueError(f"allowed must reach to the last row; bits={8 * len(bits)} rows={end}")
    return bits
