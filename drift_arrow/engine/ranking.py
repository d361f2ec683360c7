"""Ranking the rows of a search: candidates, exact distances, and the rows that may be returned."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.candidates import segment_candidates
from drift_arrow.engine.exact_search import scan_exactly
from drift_arrow.engine.laps import Laps
from drift_arrow.engine.memtable_search import memtable_candidates
from drift_arrow.kernels.distance import exact_distances_batch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.candidates import Goal
    from drift_arrow.engine.run import Run
    from drift_arrow.kernels.probe import Probed

_SCRATCH_BYTES: Final = 32 << 20
_MIN_PARALLEL_QUERIES: Final = 16
_FLOAT32_BYTES: Final = 4
_MORE: Final = 4
"""How many times the candidates a search tries again with, where too few of them may be returned."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Rows found: query numbers (m,) int64, global row ids (m,) int64, exact distances (m,) float32."""

    queries: NDArray[np.int64]
    ids: NDArray[np.int64]
    distances: NDArray[np.float32]

    def ordered(self, tie: NDArray[np.int64]) -> Hits:
        """The same rows by query, then distance, then `tie`."""
        return self.at(np.lexsort((tie, self.distances, self.queries)))

    def at(self, places: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Hits:
        """Some of the rows."""
        return Hits(self.queries[places], self.ids[places], self.distances[places])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Rows of queries that follow each other, and what they took.

    Parameters
    ----------
    start, stop : int
        The queries.
    hits : Hits
        By query, then distance, then key; queries are numbered as in the request.
    probed : Probed or None
        Buckets of the segments, None if they were not ranked.
    n_candidates : (stop - start,) int64
        Rows of each query whose exact distance was computed.
    seconds : dict of str to float
        By stage, on the thread that ranked them.
    """

    start: int
    stop: int
    hits: Hits
    probed: Probed | None
    n_candidates: NDArray[np.int64]
    seconds: dict[str, float]


def rank_rows(run: Run) -> list[Ranked]:
    """All queries, in chunks whose gathered candidates fit the scratch; chunks of a large batch run in parallel."""
    n_queries = len(run.request.queries)
    groups = run.maker.row_groups
    row_bytes = _FLOAT32_BYTES * 2 * (run.spec.dim * run.goal.n_candidates + (groups.n_groups if groups else 0))
    n_threads = len(os.sched_getaffinity(0)) if n_queries >= _MIN_PARALLEL_QUERIES else 1
    size = max(1, min(_SCRATCH_BYTES // row_bytes, -(-n_queries // n_threads)))
    starts = range(0, n_queries, size)
    if len(starts) == 1:
        return [_rank_chunk(run, 0, n_queries)]
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(lambda start: _rank_chunk(run, start, min(start + size, n_queries)), starts))


def _rank_chunk(run: Run, start: int, stop: int) -> Ranked:
    goal, laps = run.goal, Laps()
    while True:
        hits, probed, candidates = _ranked_candidates(run, run.request.queries[start:stop], goal, laps)
        hits = _returnable(run, hits)
        if not _is_short(run, hits, candidates, goal):
            break
        goal = replace(goal, n_candidates=goal.n_candidates * _MORE)
    hits = _window(hits, run.request.offset, goal.k) if stop > start + 1 else hits.at(slice(run.request.offset, goal.k))
    laps.lap("rescore")
    return Ranked(
        start=start,
        stop=stop,
        hits=replace(hits, queries=hits.queries + start),
        probed=probed,
        n_candidates=np.count_nonzero(candidates >= 0, axis=1),
        seconds=laps.seconds,
    )


def _ranked_candidates(
    run: Run, queries: NDArray[np.float32], goal: Goal, laps: Laps
) -> tuple[Hits, Probed | None, NDArray[np.int64]]:
    """Candidates (nq, c) as hits in order, with exact distances."""
    space, metric = run.space, run.spec.metric
    from_segments = segment_candidates(space, queries, goal, metric, run.maker)
    laps.lap("scan")
    found = [(from_segments.ids, from_segments.distances)]
    found += [
        _memtable_candidates(run, number, queries, goal)
        for number in range(space.n_segments, len(space.views))
        if space.n_allowed[number]
    ]
    laps.lap("memtable")
    candidates = found[0][0] if len(found) == 1 else np.concatenate([ids for ids, _ in found], axis=1)
    query, place = np.nonzero(candidates >= 0)
    ids = candidates[query, place]
    if all(known is None for _, known in found):
        distances = exact_distances_batch(space.vectors(ids), query.astype(np.uint32), queries, metric)
    else:
        distances = _joined_distances(found)[query, place]
        unknown = np.flatnonzero(np.isnan(distances))
        vectors = space.vectors(ids[unknown])
        distances[unknown] = exact_distances_batch(vectors, query[unknown].astype(np.uint32), queries, metric)
    return _ordered(run, Hits(query, ids, distances)), from_segments.probed, candidates


def _joined_distances(found: list[tuple[NDArray[np.int64], NDArray[np.float32] | None]]) -> NDArray[np.float32]:
    """Distances from scans in full precision, bit by bit those of a rescore; NaN for the other candidates."""
    parts = [np.full(ids.shape, np.nan, np.float32) if known is None else known for ids, known in found]
    return np.concatenate(parts, axis=1)


def _memtable_candidates(
    run: Run, number: int, queries: NDArray[np.float32], goal: Goal
) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
    """Row ids, and their exact distances if these were computed."""
    if run.maker.is_plain:
        return memtable_candidates(run.space, number, queries, goal, run.spec.metric), None
    sieve = run.maker.make(len(queries), goal.n_candidates)
    scan_exactly(run.space, number, queries, run.spec.metric, sieve)
    return sieve.heaps.ids, sieve.heaps.distances


def _ordered(run: Run, candidates: Hits) -> Hits:
    """By query, then distance, then key; keys are read only where distances tie."""
    hits = candidates.ordered(candidates.ids)
    is_tied = (hits.distances[1:] == hits.distances[:-1]) & (hits.queries[1:] == hits.queries[:-1])
    if not is_tied.any():
        return hits
    tied = np.flatnonzero(is_tied)
    members = np.union1d(tied, tied + 1)
    keys = run.space.take(hits.ids[members], [run.spec.key]).column(0).to_numpy()
    rank = np.zeros(len(hits.ids), dtype=np.int64)
    rank[members] = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    return hits.ordered(rank)


def _returnable(run: Run, hits: Hits) -> Hits:
    """Ranked rows in the range of distances, without those beyond the limit of their group."""
    restriction, groups = run.maker.restriction, run.maker.row_groups
    if restriction.is_range:
        hits = hits.at(restriction.within(hits.distances))
    if groups is not None:
        owners = hits.queries * groups.n_groups + groups.of_row[hits.ids]
        order = np.argsort(owners, kind="stable")
        kept = np.sort(order[_places(owners[order]) < restriction.group_limit])
        hits = hits.at(kept)
    return hits


def _is_short(run: Run, hits: Hits, candidates: NDArray[np.int64], goal: Goal) -> bool:
    """Whether a query misses rows although there may be others, which candidates that fell through kept out."""
    if run.maker.is_plain or goal.n_candidates >= sum(run.space.n_allowed):
        return False
    found = np.bincount(hits.queries, minlength=len(candidates))
    is_full = (candidates >= 0).sum(axis=1) >= goal.n_candidates
    return bool((is_full & (found < goal.k)).any())


def _window(hits: Hits, offset: int, k: int) -> Hits:
    """Places `offset` up to k of each query."""
    places = _places(hits.queries)
    return hits.at((places >= offset) & (places < k))


def _places(owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each row among those of its owner, where rows of one owner follow each other."""
    is_first = np.diff(owners, prepend=-1) != 0
    firsts = np.flatnonzero(is_first)
    places: NDArray[np.int64] = np.arange(len(owners)) - firsts[np.cumsum(is_first) - 1]
    return places
