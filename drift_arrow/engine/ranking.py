"""Ranking the rows of a search: candidates, exact distances, and the rows that may be returned."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.candidates import segment_candidates
from drift_arrow.engine.direct_ranking import FEW_QUERIES, rank_directly
from drift_arrow.engine.exact_search import scan_exactly
from drift_arrow.engine.laps import Laps
from drift_arrow.engine.memtable_search import memtable_candidates
from drift_arrow.engine.vector_table import vector_table
from drift_arrow.kernels.distance import exact_distances_batch
from drift_arrow.kernels.exact_rank import rank_exactly
from drift_arrow.kernels.row_table import NO_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.candidates import Goal
    from drift_arrow.engine.run import Run
    from drift_arrow.kernels.exact_rank import ExactRanks
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

    @classmethod
    def joined(cls, parts: Sequence[Hits]) -> Hits:
        """The rows of several searches, one after the other."""
        return cls(
            np.concatenate([part.queries for part in parts]),
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.distances for part in parts]),
        )

    def ordered(self, tie: NDArray[np.int64]) -> Hits:
        """The same rows by query, then distance, then `tie`."""
        return self.at(np.lexsort((tie, self.distances, self.queries)))

    def window(self, start: int, stop: int) -> Hits:
        """Places `start` up to `stop` of each query."""
        places = _places(self.queries)
        return self.at((places >= start) & (places < stop))

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
        Buckets of the segments, None if they were not ranked, or if nobody asked for an account.
    n_candidates : (stop - start,) int64
        Rows of each query whose exact distance was computed.
    seconds : dict of str to float
        By stage, on the thread that ranked them; empty if nobody asked for an account.
    """

    start: int
    stop: int
    hits: Hits
    probed: Probed | None
    n_candidates: NDArray[np.int64]
    seconds: dict[str, float]


def rank_rows(run: Run, *, is_accounted: bool = False) -> list[Ranked]:
    """All queries, in chunks whose gathered candidates fit the scratch; chunks of a large batch run in parallel.

    With an account, stages of a search that one call could do are done one by one.
    """
    n_queries = len(run.request.queries)
    direct = None if is_accounted else rank_directly(run)
    if direct is not None:
        ids, ranks = direct
        ranks = ranks or _ranks(run, run.request.queries, ids, None, run.goal.k)
        _order_ties(run, ranks)
        hits = _window(ranks, run.request.offset, run.goal.k)
        return [Ranked(start=0, stop=n_queries, hits=hits, probed=None, n_candidates=ranks.counts, seconds={})]
    groups = run.maker.row_groups
    row_bytes = _FLOAT32_BYTES * 2 * (run.spec.dim * run.goal.n_candidates + (groups.n_groups if groups else 0))
    n_threads = len(os.sched_getaffinity(0)) if n_queries >= _MIN_PARALLEL_QUERIES else 1
    size = max(1, min(_SCRATCH_BYTES // row_bytes, -(-n_queries // n_threads)))
    if n_queries <= size:
        return [_rank_chunk(run, 0, n_queries)]
    starts = range(0, n_queries, size)
    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(lambda start: _rank_chunk(run, start, min(start + size, n_queries)), starts))


def _rank_chunk(run: Run, start: int, stop: int) -> Ranked:
    goal, laps = run.goal, Laps()
    queries = run.request.queries if stop - start == len(run.request.queries) else run.request.queries[start:stop]
    while True:
        ranks, probed = _ranked_candidates(run, queries, goal, laps)
        if run.maker.is_plain:
            hits = _window(ranks, run.request.offset, goal.k)
            break
        hits = _returnable(run, _window(ranks, 0, ranks.ids.shape[1]))
        if not _is_short(run, hits, ranks.counts, goal):
            hits = hits.window(run.request.offset, goal.k)
            break
        goal = replace(goal, n_candidates=goal.n_candidates * _MORE)
    if start:
        hits = replace(hits, queries=hits.queries + start)
    laps.lap("rescore")
    return Ranked(start=start, stop=stop, hits=hits, probed=probed, n_candidates=ranks.counts, seconds=laps.seconds)


def _ranked_candidates(
    run: Run, queries: NDArray[np.float32], goal: Goal, laps: Laps
) -> tuple[ExactRanks, Probed | None]:
    """Candidates in order; those whose distance is that of others by their keys, as far as they may be returned."""
    space = run.space
    from_segments = segment_candidates(space, queries, goal, run.spec.metric, run.maker)
    laps.lap("scan")
    found = [(from_segments.ids, from_segments.distances)]
    found += [
        _memtable_candidates(run, number, queries, goal)
        for number in range(space.n_segments, len(space.views))
        if space.n_allowed[number]
    ]
    laps.lap("memtable")
    ids = found[0][0] if len(found) == 1 else np.concatenate([ids for ids, _ in found], axis=1)
    known = None if all(some is None for _, some in found) else _joined_distances(found)
    n_ordered = goal.k if run.maker.is_plain else ids.shape[1]
    ranks = _ranks(run, queries, ids, known, n_ordered)
    _order_ties(run, ranks)
    return ranks, from_segments.probed


def _ranks(
    run: Run, queries: NDArray[np.float32], ids: NDArray[np.int64], known: NDArray[np.float32] | None, n_ordered: int
) -> ExactRanks:
    """Candidates by distance, then by id."""
    space, metric = run.space, run.spec.metric
    table = vector_table(space.snapshot, space.bases)
    if len(queries) <= FEW_QUERIES and table is not None:
        try:
            ranks = rank_exactly(queries, ids, table, metric, n_ordered, known)
        except ValueError:
            # damage: whoever reads the vectors below says where
            ranks = None
        if ranks is not None:
            return ranks
    if known is None:
        known = np.full(ids.shape, np.nan, np.float32)
    query, place = np.nonzero((ids >= 0) & np.isnan(known))
    vectors = space.vectors(ids[query, place])
    known[query, place] = exact_distances_batch(vectors, query.astype(np.uint32), queries, metric)
    ranks = rank_exactly(queries, ids, NO_ROWS if table is None else table, metric, n_ordered, known)
    assert ranks is not None
    return ranks


def _joined_distances(found: list[tuple[NDArray[np.int64], NDArray[np.float32] | None]]) -> NDArray[np.float32]:
    """Distances of candidates scanned in full precision, bit by bit those of a rescore; NaN for the others."""
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


def _order_ties(run: Run, ranks: ExactRanks) -> None:
    """Order candidates at the same distance from a query by their keys, in place."""
    # a list, because NumPy takes a microsecond to look at one value
    if True not in ranks.is_tied.tolist():
        return
    tied = np.flatnonzero(ranks.is_tied)
    hits = _flat(ranks.ids[tied], ranks.distances[tied], ranks.counts[tied])
    is_tied = (hits.distances[1:] == hits.distances[:-1]) & (hits.queries[1:] == hits.queries[:-1])
    first = np.flatnonzero(is_tied)
    members = np.union1d(first, first + 1)
    keys = run.space.take(hits.ids[members], [run.spec.key]).column(0).to_numpy()
    rank = np.zeros(len(hits.ids), dtype=np.int64)
    rank[members] = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    hits = hits.ordered(rank)
    filled = np.arange(ranks.ids.shape[1]) < ranks.counts[tied, np.newaxis]
    ordered = ranks.ids[tied]
    ordered[filled] = hits.ids
    ranks.ids[tied] = ordered


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


def _is_short(run: Run, hits: Hits, counts: NDArray[np.int64], goal: Goal) -> bool:
    """Whether a query misses rows although there may be others, which candidates that fell through kept out."""
    if goal.n_candidates >= sum(run.space.n_allowed):
        return False
    found = np.bincount(hits.queries, minlength=len(counts))
    return bool(((counts >= goal.n_candidates) & (found < goal.k)).any())


def _window(ranks: ExactRanks, start: int, stop: int) -> Hits:
    """Places `start` up to `stop` of each query."""
    if len(ranks.ids) == 1:
        stop = min(stop, int(ranks.counts[0]))
        ids, distances = ranks.ids[0, start:stop], ranks.distances[0, start:stop]
        return Hits(np.zeros(len(ids), np.int64), ids, distances)
    return _flat(ranks.ids[:, start:stop], ranks.distances[:, start:stop], np.minimum(ranks.counts, stop) - start)


def _flat(ids: NDArray[np.int64], distances: NDArray[np.float32], counts: NDArray[np.int64]) -> Hits:
    """The first `counts` rows of each query, negative counts for none."""
    filled = np.arange(ids.shape[1]) < counts[:, np.newaxis]
    return Hits(np.repeat(np.arange(len(ids)), np.maximum(counts, 0)), ids[filled], distances[filled])


def _places(owners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each row among those of its owner, where rows of one owner follow each other."""
    is_first = np.diff(owners, prepend=-1) != 0
    firsts = np.flatnonzero(is_first)
    places: NDArray[np.int64] = np.arange(len(owners)) - firsts[np.cumsum(is_first) - 1]
    return places
