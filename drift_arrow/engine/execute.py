"""One search: candidates, exact rescore, one ranking over memtables and segments, payload of the winners only."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from drift_arrow.engine.candidates import Goal, segment_candidates
from drift_arrow.engine.memtable_search import memtable_candidates
from drift_arrow.engine.row_space import RowSpace
from drift_arrow.engine.spec import DISTANCE_COLUMN, QUERY_COLUMN
from drift_arrow.kernels.distance import exact_distances_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec

_SCRATCH_BYTES: Final = 32 << 20
_MIN_PARALLEL_QUERIES: Final = 16
_FLOAT32_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A checked search.

    Parameters
    ----------
    queries : (nq, dim) float32
        Finite.
    is_batch : bool
        The caller gave a matrix, so the result says which query a row answers.
    predicate : Predicate or None
        Restricts the rows before the ranking.
    columns : tuple of str
        Of the result, without `_distance`.
    goal : Goal
        Rows per query, and how thoroughly they are sought.
    """

    queries: NDArray[np.float32]
    is_batch: bool
    predicate: Predicate | None
    columns: tuple[str, ...]
    goal: Goal


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows found: query numbers (m,) int64, global row ids (m,) int64, exact distances (m,) float32."""

    queries: NDArray[np.int64]
    ids: NDArray[np.int64]
    distances: NDArray[np.float32]

    def ordered(self, tie: NDArray[np.int64]) -> Hits:
        """The same rows by query, then distance, then `tie`."""
        order = np.lexsort((tie, self.distances, self.queries))
        return Hits(self.queries[order], self.ids[order], self.distances[order])


def execute(snapshot: Snapshot, spec: CollectionSpec, request: Request) -> pa.Table:
    """Answer `request` on one snapshot.

    Returns
    -------
    pyarrow.Table
        For each query its k nearest allowed rows (fewer only if fewer are allowed), nearest first, ties by key:
        `query_index` if it is a batch, the columns, `_distance`.
    """
    space = RowSpace(snapshot, request.predicate)
    hits = _search(space, spec, request)
    table = space.take(hits.ids, list(request.columns))
    fields, columns = list(table.schema), list(table.columns)
    if request.is_batch:
        fields.insert(0, pa.field(QUERY_COLUMN, pa.uint32(), nullable=False))
        columns.insert(0, pa.array(hits.queries.astype(np.uint32)))
    fields.append(pa.field(DISTANCE_COLUMN, pa.float32(), nullable=False))
    columns.append(pa.array(hits.distances))
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _search(space: RowSpace, spec: CollectionSpec, request: Request) -> Hits:
    """All queries, in chunks whose gathered candidates fit the scratch; chunks of a large batch run in parallel."""
    n_queries = len(request.queries)
    row_bytes = _FLOAT32_BYTES * spec.dim * request.goal.n_candidates * 2
    n_threads = len(os.sched_getaffinity(0)) if n_queries >= _MIN_PARALLEL_QUERIES else 1
    size = max(1, min(_SCRATCH_BYTES // row_bytes, -(-n_queries // n_threads)))
    starts = range(0, n_queries, size)
    if len(starts) == 1:
        return _search_chunk(space, spec, request, 0, n_queries)
    with ThreadPoolExecutor(n_threads) as pool:
        parts = list(pool.map(lambda start: _search_chunk(space, spec, request, start, start + size), starts))
    return Hits(
        np.concatenate([part.queries for part in parts]),
        np.concatenate([part.ids for part in parts]),
        np.concatenate([part.distances for part in parts]),
    )


def _search_chunk(space: RowSpace, spec: CollectionSpec, request: Request, start: int, stop: int) -> Hits:
    queries = request.queries[start:stop]
    goal = request.goal
    found = [segment_candidates(space, queries, goal, spec.metric).ids]
    found += [
        memtable_candidates(space, number, queries, goal, spec.metric)
        for number in range(space.n_segments, len(space.views))
        if space.n_allowed[number]
    ]
    candidates = np.concatenate(found, axis=1)
    query, place = np.nonzero(candidates >= 0)
    ids = candidates[query, place]
    distances = exact_distances_batch(space.vectors(ids), query.astype(np.uint32), queries, spec.metric)
    hits = _best(space, spec, goal.k, Hits(query, ids, distances))
    return Hits(hits.queries + start, hits.ids, hits.distances)


def _best(space: RowSpace, spec: CollectionSpec, k: int, candidates: Hits) -> Hits:
    """The k nearest candidates of each query; keys are read only where distances tie."""
    hits = candidates.ordered(candidates.ids)
    tied = np.flatnonzero((np.diff(hits.distances) == 0) & (np.diff(hits.queries) == 0))
    if len(tied):
        members = np.union1d(tied, tied + 1)
        keys = space.take(hits.ids[members], [spec.key]).column(0).to_numpy()
        rank = np.zeros(len(hits.ids), dtype=np.int64)
        rank[members] = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
        hits = hits.ordered(rank)
    firsts = np.searchsorted(hits.queries, hits.queries, side="left")
    kept = np.flatnonzero(np.arange(len(firsts)) - firsts < k)
    return Hits(hits.queries[kept], hits.ids[kept], hits.distances[kept])
