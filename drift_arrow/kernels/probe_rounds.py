"""The compiled rounds of `probe`: rank, scan a few buckets of every query, look at what they gave, and go on."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bucket_order import sort_into_bins, sort_next_bins
from drift_arrow.kernels.bucket_table import arrays_of
from drift_arrow.kernels.code_tile import LEAST_LENGTH
from drift_arrow.kernels.distance import DOT, L2, METRIC_CODES, row_distance
from drift_arrow.kernels.normal import NORMAL_LIMIT, normal_share
from drift_arrow.kernels.pool import shrink_pool
from drift_arrow.kernels.probe_memory import pool_arrays, ranking_arrays, scan_arrays, term_arrays
from drift_arrow.kernels.probe_scan import scan_windows
from drift_arrow.kernels.probing import neighbour_score
from drift_arrow.kernels.touches import touch_probed

_COSINE: Final = METRIC_CODES["cosine"]
_TILE_CENTROIDS: Final = 64
"""Centroids that all queries visit before the next ones are read."""

_ROUNDED: Final = 1 - 1e-9
"""All that is expected, summed in another order."""

_GROWTH: Final = 4
"""By how much the buckets scanned grow until the next look at the k-th distance."""


@kernel(inner=True)
def _rank(queries: Any, centroids: Any, metric: Any, distances: Any) -> None:
    """Distances of all centroids, (nq, B): squared ones, or negative inner products for dot. Never NaN."""
    kind = L2 if metric == L2 else DOT
    for start in range(0, centroids.shape[0], _TILE_CENTROIDS):
        stop = min(start + _TILE_CENTROIDS, centroids.shape[0])
        for q in range(queries.shape[0]):
            for b in range(start, stop):
                distance = row_distance(centroids[b], queries[q], np.float32(1), kind)
                if metric == _COSINE:
                    # squared distance of unit vectors
                    distance = max(np.float32(2) + np.float32(2) * distance, np.float32(0))
                distances[q, b] = np.float32(np.inf) if np.isnan(distance) else distance


@kernel(inner=True)
def _begin(bins: Any, q: Any, distances: Any, counts: Any, rows: Any, k: Any, far_rows: Any) -> Any:
    """Sort buckets until k allowed rows are met: how many but the last, and whether these have many other rows."""
    order, ends, n_sorted, numbers = bins
    sort_into_bins(distances, order[q], ends[q], numbers)
    n_allowed, n_rows, place = np.int64(0), np.int64(0), 0
    while place < distances.size:
        n_sorted[q] = sort_next_bins(order[q], ends[q], n_sorted[q], place + 1, distances)
        bucket = order[q, place]
        n_allowed += counts[bucket]
        if n_allowed >= k:
            break
        n_rows += np.int64(rows[bucket])
        place += 1
    return place, n_rows > far_rows


@kernel(inner=True)
def _write_shares(distances: Any, radius: Any, length: Any, is_dot: Any, model: Any, shares: Any) -> None:
    """Write which share of the rows of each bucket is expected within the radius."""
    _, _, _, spread, effective_dim = model
    # on its own, because roots and quotients are vectors and a look at a table is not
    for b in range(distances.size):
        shares[b] = neighbour_score(np.float64(distances[b]), radius, length, is_dot, spread, effective_dim)
    for b in range(distances.size):
        shares[b] = normal_share(shares[b]) if shares[b] > -NORMAL_LIMIT else 0.0


@kernel(reassociate=True, inner=True)
def _expected(rows: Any, shares: Any) -> Any:
    """Neighbours in all buckets of so many rows."""
    total = 0.0
    for b in range(shares.size):
        total += np.float64(rows[b]) * shares[b]
    return total


@kernel(inner=True)
def _place_of_share(bins: Any, q: Any, limit: Any, distances: Any, rows: Any, shares: Any, wanted: Any) -> Any:
    """How many buckets, at most `limit`, hold an expected number of neighbours."""
    order, ends, n_sorted, _ = bins
    found = 0.0
    for place in range(limit):
        n_sorted[q] = sort_next_bins(order[q], ends[q], n_sorted[q], place + 1, distances)
        bucket = order[q, place]
        found += np.float64(rows[bucket]) * shares[bucket]
        if found >= wanted:
            return place + 1
    return limit


@kernel(inner=True)
def _next_stop(
    q: Any,
    distances: Any,
    counts: Any,
    rows: Any,
    is_filtered: Any,
    length: Any,
    metric: Any,
    n_probe: Any,
    model: Any,
    bins: Any,
    state: Any,
    radius: Any,
    shares: Any,
) -> Any:
    """How many buckets query number `q` shall have scanned before the next look; as many as now if it is done."""
    limits, n_probed, _, is_far = state
    wanted = model[1] if is_far[q] else model[0]
    if not limits[q]:
        return n_probed[q]
    limits[q] *= _GROWTH
    limit = min(limits[q], distances.size)
    if radius == np.inf:
        return limit
    if n_probe:
        return min(max(n_probe, n_probed[q]), limit)
    if wanted >= 1.0:
        return limit
    if metric == _COSINE:
        # the squared distance of unit vectors is twice their cosine distance
        radius *= 2.0
    _write_shares(distances, radius, length, metric == DOT, model, shares)
    sought = wanted * _expected(counts, shares) * _ROUNDED
    place = _place_of_share(bins, q, limit, distances, counts, shares, sought)
    if is_filtered and not is_far[q]:
        # a filter that keeps rows near the query makes the nearest buckets look like all there is, so that their share
        # is reached early; shares were calibrated with all rows
        sought = wanted * _expected(rows, shares) * _ROUNDED
        place = max(place, _place_of_share(bins, q, limit, distances, rows, shares, sought))
    # the k-th distance only improves, so a share that is reached now will have been enough
    limits[q] = limit if place == limit else 0
    return max(place, n_probed[q])


@kernel(reassociate=True, inner=True)
def _squared_length(query: Any) -> Any:
    total = 0.0
    for j in range(query.size):
        total += np.float64(query[j]) * np.float64(query[j])
    return total


@kernel(inner=True)
def _terms(queries: Any, metric: Any, origin: Any, lengths: Any) -> Any:
    """What the distances of the queries are made of, as by `code_tile.scan_terms`."""
    for q in range(queries.shape[0]):
        square = _squared_length(queries[q])
        lengths[q] = max(np.sqrt(square), LEAST_LENGTH)
        origin[q] = square if metric == L2 else (1.0 if metric == _COSINE else 0.0)
    return origin, 2.0 if metric == L2 else 1.0, lengths


@kernel
def probe_all(
    queries: Any,
    metric: Any,
    table: Any,
    counts: Any,
    allowed: Any,
    k: Any,
    first: Any,
    n_probe: Any,
    share: Any,
    careful_share: Any,
    far_rows: Any,
    spread: Any,
    effective_dim: Any,
    memory: Any,
    places: Any,
    n_weights: Any,
    n_bytes: Any,
    order: Any,
    n_probed: Any,
    ids: Any,
) -> None:
    """All of `probe.probe_buckets`, which is the only caller and allocates whatever is written here.

    queries : (nq, dim) float32
        Unit vectors for cosine.
    table : `BucketTable.numbers`
    k, ..., effective_dim : fields of a `StopRule`
    memory, places, n_weights, n_bytes : see `probe_memory`
    order, n_probed, ids : the arrays of a `Probed`
    """
    n_queries, n_buckets = np.int64(queries.shape[0]), np.int64(order.shape[1])
    model = (share, careful_share, far_rows, spread, effective_dim)
    centroids, buckets, touches = arrays_of(table, metric)
    rows = buckets[1]
    (ends, n_sorted, numbers), distances, (limits, upto, is_far, shares) = ranking_arrays(
        memory, places, n_queries, n_buckets
    )
    bins, state = (order, ends, n_sorted, numbers), (limits, n_probed, upto, is_far)
    terms = _terms(queries, metric, *term_arrays(memory, places, n_queries))
    scratch, sorting = scan_arrays(memory, places, n_queries, n_buckets, n_weights, n_bytes)
    pools, best = pool_arrays(memory, places, n_queries, k, np.int64(ids.shape[1]))
    nearest, least, kept, n_kept = pools
    _rank(queries, centroids, metric, distances)
    for q in range(n_queries):
        n_probed[q] = 0
        place, is_far[q] = _begin(bins, q, distances[q], counts, rows, k, far_rows)
        limits[q] = max(place + 1, first)
        upto[q] = min(limits[q], n_buckets)
    n_active = n_queries if n_buckets else 0
    while n_active:
        for q in range(n_queries):
            n_sorted[q] = sort_next_bins(order[q], ends[q], n_sorted[q], upto[q], distances[q])
        scan_windows(queries, terms, buckets, counts, allowed, order, n_probed, upto, scratch, sorting, pools, best)
        n_active = 0
        for q in range(n_queries):
            if n_probed[q] < upto[q]:
                n_probed[q] = upto[q]
                radius = np.float64(nearest[q, 0])
                upto[q] = _next_stop(
                    q,
                    distances[q],
                    counts,
                    rows,
                    allowed.size > 0,
                    terms[2][q],
                    metric,
                    n_probe,
                    model,
                    bins,
                    state,
                    radius,
                    shares,
                )
                n_active += upto[q] > n_probed[q]
    for q in range(n_queries):
        size = shrink_pool(least[q], kept[q], n_kept[q], nearest[q, 0], best[0], best[1])
        for i in range(size):
            ids[q, i] = kept[q, i]
        ids[q, size:] = -1
    if touches.size:
        touch_probed(order, n_probed, counts, touches)
