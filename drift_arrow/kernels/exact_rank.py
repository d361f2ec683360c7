"""Candidates of queries in the order of their exact distances: the last step of a search."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distance import inner_product, metric_code, row_distance
from drift_arrow.kernels.float_part import PARTS
from drift_arrow.kernels.float_points import gather_floats
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.memory import array_at
from drift_arrow.kernels.row_table import DONE, RowTable, check_status
from drift_arrow.kernels.scratch import layout, scratch

_INSERTED: Final = 32
"""Up to so many candidates are sorted by insertion, which is faster for a few and quadratic for many."""


@dataclass(frozen=True, slots=True, eq=False)
class ExactRanks:
    """Candidates of nq queries in order.

    Parameters
    ----------
    ids : (nq, c) int64
        Nearest first, ties to the lower number; -1 behind the last one.
    distances : (nq, c) float32
        Exact ones, NaN last; behind the last candidate they mean nothing.
    counts : (nq,) int64
        Candidates of each query.
    is_tied : (nq,) bool
        Whether two distances are equal, the first of which is among the k nearest.
    """

    ids: NDArray[np.int64]
    distances: NDArray[np.float32]
    counts: NDArray[np.int64]
    is_tied: NDArray[np.bool_]


@kernel(inner=True)
def _precedes(distance: Any, row_id: Any, other: Any, other_id: Any) -> Any:
    """By distance, NaN last, then by number."""
    if distance == other or (np.isnan(distance) and np.isnan(other)):
        return row_id < other_id
    return distance < other or np.isnan(other)


@kernel(inner=True)
def _insert(distances: Any, ids: Any, size: Any) -> None:
    for i in range(1, size):
        distance, row_id, place = distances[i], ids[i], i
        while place > 0 and _precedes(distance, row_id, distances[place - 1], ids[place - 1]):
            distances[place], ids[place] = distances[place - 1], ids[place - 1]
            place -= 1
        distances[place], ids[place] = distance, row_id


@kernel(inner=True)
def _sink(distances: Any, ids: Any, size: Any, slot: Any) -> None:
    """Move the candidate in a slot of a heap, the farthest first, down to its place."""
    distance, row_id = distances[slot], ids[slot]
    while True:
        child = 2 * slot + 1
        if child >= size:
            break
        if child + 1 < size and _precedes(distances[child], ids[child], distances[child + 1], ids[child + 1]):
            child += 1
        if not _precedes(distance, row_id, distances[child], ids[child]):
            break
        distances[slot], ids[slot] = distances[child], ids[child]
        slot = child
    distances[slot], ids[slot] = distance, row_id


@kernel(inner=True)
def _sort(distances: Any, ids: Any, size: Any) -> None:
    if size <= _INSERTED:
        _insert(distances, ids, size)
        return
    for slot in range(size // 2 - 1, -1, -1):
        _sink(distances, ids, size, slot)
    for last in range(size - 1, 0, -1):
        distances[0], distances[last] = distances[last], distances[0]
        ids[0], ids[last] = ids[last], ids[0]
        _sink(distances, ids, last, 0)


@kernel(inner=True)
def _close_up(ids: Any, distances: Any) -> Any:
    """Move candidates to the front, and tell how many there are."""
    size = 0
    for i in range(ids.size):
        if ids[i] >= 0:
            ids[size], distances[size] = ids[i], distances[i]
            size += 1
    ids[size:] = -1
    return size


@kernel
def rank_rows(
    queries: Any,
    metric: Any,
    first_rows: Any,
    blocks: Any,
    has_distances: Any,
    k: Any,
    memory: Any,
    places: Any,
    ids: Any,
    distances: Any,
    counts: Any,
    is_tied: Any,
) -> Any:
    """All of `rank_exactly`; `DONE`, or why a row was not found.

    memory, places : see `rank_layout`; the arrays of an `ExactRanks` are written
    """
    dim = np.int64(queries.shape[1])
    parts = array_at(memory + places[0], np.int64(PARTS), np.uint16(0))
    room = array_at(memory + places[1], np.int64(VALUES), np.uint32(0))
    bits = array_at(memory + places[2], (np.int64(1), dim), np.uint32(0))
    row = array_at(memory + places[2], dim, np.float32(0))
    for q in range(queries.shape[0]):
        query, mine, far = queries[q], ids[q], distances[q]
        length = np.sqrt(inner_product(query, query))
        size = _close_up(mine, far)
        for i in range(size):
            if has_distances and not np.isnan(far[i]):
                continue
            status = gather_floats(first_rows, blocks, mine[i : i + 1], dim, parts, room, bits)
            if status != DONE:
                return status
            far[i] = row_distance(row, query, length, metric)
        _sort(far, mine, size)
        counts[q] = size
        tied = False
        for i in range(min(size - 1, k)):
            tied |= far[i] == far[i + 1]
        is_tied[q] = tied
    return DONE


@lru_cache(maxsize=16)
def rank_layout(dim: int) -> tuple[NDArray[np.int64], int]:
    """Places of the scratch of `rank_rows` in memory, and the bytes of it; see `scratch.layout`."""
    return layout([(PARTS, np.uint16), (VALUES, np.uint32), (dim, np.uint32)])


def rank_exactly(
    queries: NDArray[np.float32],
    ids: NDArray[np.int64],
    table: RowTable,
    metric: str,
    k: int,
    distances: NDArray[np.float32] | None = None,
) -> ExactRanks | None:
    """Order the candidates of each query by their distances from it.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite.
    ids : (nq, c) int64
        Rows, -1 for none, in any order. Becomes the `ids` of the result.
    table : RowTable
        Of float32 rows of `dim` values, by these numbers.
    metric : str
        A key of `distance.METRIC_CODES`.
    k : int
        For `is_tied`.
    distances : (nq, c) float32, optional
        What is known of them, bit by bit as `exact_distances` gives them; NaN for the others. Becomes that of the
        result.

    Returns
    -------
    ExactRanks or None
        None if a block that holds a row is absent; `ids` and `distances` then hold the same candidates.

    Raises
    ------
    ValueError    there is no such row, wrong dtype, shape or layout, unknown metric, or a damaged vector

    Notes
    -----
    Row by row through a scratch that stays in the cache, without the GIL. For many rows that lie close together it is
    faster to gather them by `float_rows` and to hand in their distances.
    """
    queries = readonly("queries", queries, np.float32, None, None)
    check_writable("ids", ids, np.int64, len(queries), None)
    has_distances = distances is not None
    if distances is None:
        distances = np.empty(ids.shape, np.float32)
    check_writable("distances", distances, np.float32, *ids.shape)
    counts, is_tied = np.empty(len(queries), np.int64), np.empty(len(queries), np.bool_)
    places, n_bytes = rank_layout(queries.shape[1])
    address, memory = scratch(n_bytes)
    status = rank_rows(
        queries,
        metric_code(metric),
        table.first_rows,
        table.blocks,
        has_distances,
        k,
        address,
        places,
        ids,
        distances,
        counts,
        is_tied,
    )
    # kept until here by its name
    del memory
    return ExactRanks(ids, distances, counts, is_tied) if check_status(int(status), table, ids) else None
