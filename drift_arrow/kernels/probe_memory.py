"""The arrays that `probe` works with, in one piece of memory: as arguments they would cost as much as rows to scan."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bucket_order import N_BINS
from drift_arrow.kernels.code_block import BLOCK_ROWS, block_size
from drift_arrow.kernels.code_product import weights_size
from drift_arrow.kernels.code_tile import TILE_ROWS
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.probe_scan import GROUP
from drift_arrow.kernels.scratch import layout

(
    _ENDS,
    _N_SORTED,
    _NUMBERS,
    _DISTANCES,
    _LIMITS,
    _UPTO,
    _IS_FAR,
    _EXPECTED,
    _ORIGIN,
    _LENGTHS,
    _WEIGHTS,
    _TILE_ROWS,
    _PRODUCTS,
    _TILE_NORMS,
    _TILE_DISTANCES,
    _PLANES,
    _TURNED,
    _SUMS,
    _MARGINS,
    _STARTS,
    _MEMBERS,
    _NEAREST,
    _LEAST,
    _IDS,
    _SIZES,
    _BEST,
    _BEST_IDS,
) = range(27)


@lru_cache(maxsize=64)
def probe_layout(n_queries: int, n_buckets: int, dim: int, k: int, n_candidates: int) -> tuple[NDArray[np.int64], int]:
    """Places of the arrays of a call in memory, and the bytes of it; see `scratch.layout`."""
    n_group = GROUP if n_queries > 1 else 0
    room = n_queries * pool_room(n_candidates)
    return layout(
        [
            (n_queries * N_BINS, np.int32),
            (n_queries, np.int64),
            (n_buckets, np.uint8),
            (n_queries * n_buckets, np.float32),
            *[(n_queries, np.int64)] * 2,
            (n_queries, np.uint8),
            (n_buckets, np.float64),
            *[(n_queries, np.float64)] * 2,
            (weights_size(dim), np.int16),
            (TILE_ROWS, np.int64),
            (TILE_ROWS, np.int32),
            *[(TILE_ROWS, np.float32)] * 2,
            (max(n_group, 1) * 2 * block_size(dim), np.int8),
            (block_size(dim) * BLOCK_ROWS if n_group else 0, np.uint8),
            (n_group * 2, np.float64),
            (n_group, np.float32),
            (n_buckets + 1, np.int64),
            (n_queries * n_buckets if n_group else 0, np.int32),
            (n_queries * k, np.float32),
            (room, np.float32),
            (room, np.int64),
            (n_queries, np.int64),
            (n_candidates, np.float32),
            (n_candidates, np.int64),
        ]
    )


@kernel
def pool_room(n_candidates: Any) -> Any:
    """Rows that the pool of a query has room for."""
    return 2 * n_candidates + TILE_ROWS


@kernel(inner=True)
def ranking_arrays(memory: Any, places: Any, n_queries: Any, n_buckets: Any) -> Any:
    """Arrays of `probe_all`: what `bucket_order` needs, distances of centroids, and what it knows of each query."""
    bins = (
        array_at(memory + places[_ENDS], (n_queries, np.int64(N_BINS)), np.int32(0)),
        array_at(memory + places[_N_SORTED], n_queries, np.int64(0)),
        array_at(memory + places[_NUMBERS], n_buckets, np.uint8(0)),
    )
    distances = array_at(memory + places[_DISTANCES], (n_queries, n_buckets), np.float32(0))
    state = (
        array_at(memory + places[_LIMITS], n_queries, np.int64(0)),
        array_at(memory + places[_UPTO], n_queries, np.int64(0)),
        array_at(memory + places[_IS_FAR], n_queries, np.uint8(0)),
        array_at(memory + places[_EXPECTED], n_buckets, np.float64(0)),
    )
    bins[1][:] = 0
    return bins, distances, state


@kernel(inner=True)
def term_arrays(memory: Any, places: Any, n_queries: Any) -> Any:
    """Origins and lengths of the queries, as of `code_tile.scan_terms`."""
    origin = array_at(memory + places[_ORIGIN], n_queries, np.float64(0))
    return origin, array_at(memory + places[_LENGTHS], n_queries, np.float64(0))


@kernel(inner=True)
def scan_arrays(memory: Any, places: Any, n_queries: Any, n_buckets: Any, n_weights: Any, n_bytes: Any) -> Any:
    """Scratch of `probe_scan`: weights and tile, what a group of queries shares, and the queries of each bucket.

    n_weights, n_bytes : `weights_size` and `block_size` of the dimensions.
    """
    tile = (
        array_at(memory + places[_TILE_ROWS], TILE_ROWS, np.int64(0)),
        array_at(memory + places[_PRODUCTS], TILE_ROWS, np.int32(0)),
        array_at(memory + places[_TILE_NORMS], TILE_ROWS, np.float32(0)),
        array_at(memory + places[_TILE_DISTANCES], TILE_ROWS, np.float32(0)),
    )
    weights = array_at(memory + places[_WEIGHTS], n_weights, np.int16(0))
    n_group = np.int64(GROUP if n_queries > 1 else 0)
    group = (
        array_at(memory + places[_PLANES], (max(n_group, np.int64(1)), np.int64(2), n_bytes), np.int8(0)),
        array_at(memory + places[_TURNED], n_bytes * BLOCK_ROWS if n_group else np.int64(0), np.uint8(0)),
        array_at(memory + places[_SUMS], (n_group, np.int64(2)), np.float64(0)),
        array_at(memory + places[_MARGINS], n_group, np.float32(0)),
    )
    sorting = (
        array_at(memory + places[_STARTS], n_buckets + 1, np.int64(0)),
        array_at(memory + places[_MEMBERS], n_queries * n_buckets if n_group else np.int64(0), np.int32(0)),
    )
    # what the last window skips must be 0, and so must be the norms where a metric has none
    weights[:] = 0
    tile[2][:] = 0
    group[0][:] = 0
    return ((weights, tile), group), sorting


@kernel(inner=True)
def pool_arrays(memory: Any, places: Any, n_queries: Any, k: Any, n_candidates: Any) -> Any:
    """Empty pools, and the scratch of `pool.shrink_pool`."""
    room = pool_room(n_candidates)
    pools = (
        array_at(memory + places[_NEAREST], (n_queries, k), np.float32(0)),
        array_at(memory + places[_LEAST], (n_queries, room), np.float32(0)),
        array_at(memory + places[_IDS], (n_queries, room), np.int64(0)),
        array_at(memory + places[_SIZES], n_queries, np.int64(0)),
    )
    best = (
        array_at(memory + places[_BEST], n_candidates, np.float32(0)),
        array_at(memory + places[_BEST_IDS], n_candidates, np.int64(0)),
    )
    pools[0][:] = np.float32(np.inf)
    pools[3][:] = 0
    return pools, best
