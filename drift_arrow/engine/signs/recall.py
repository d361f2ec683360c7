"""Recall that was measured: sampled queries answered as searches are, and exactly."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from drift_arrow.engine.candidates import Goal
from drift_arrow.engine.execute import Request
from drift_arrow.engine.ranking import rank_rows
from drift_arrow.engine.restriction import check_count
from drift_arrow.engine.row_space import RowSpace
from drift_arrow.engine.run import Run
from drift_arrow.engine.signs.row_sample import sample_rows
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.statistics_file import Measurement
from drift_arrow.kernels.bucket_table import BucketTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options

_Z_95: Final = 1.959964
"""Quantile of the normal distribution that leaves .025 above it."""

_SCHEMA: Final[dict[str, Any]] = {
    "version": pl.Int64,
    "taken": pl.Datetime("ns", "UTC"),
    "k": pl.Int64,
    "target": pl.Float64,
    "recall": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "scanned": pl.Float64,
    "queries": pl.Int64,
    "source": pl.String,
}


@dataclass(frozen=True, slots=True, eq=False)
class _Questions:
    """Queries (nq, dim) float32, and the row (nq,) int64 that each of them is, or None if they come from searches."""

    queries: NDArray[np.float32]
    rows: NDArray[np.int64] | None


def measure_recall(
    snapshot: Snapshot, spec: CollectionSpec, options: Options, *, k: int, sample: int, targets: Sequence[float]
) -> list[Measurement]:
    """Answer sampled queries at each target, and once exactly.

    Parameters
    ----------
    snapshot, spec, options : Snapshot, CollectionSpec, Options
        Of the collection.
    k : int
        Rows per query, 1 up to `MAX_K`.
    sample : int
        Most queries, at least 1.
    targets : sequence of float
        As `Search.target_recall` takes them.

    Returns
    -------
    list of Measurement
        One per target; none if there are no rows.

    Raises
    ------
    InvalidArgumentError
        An argument out of range.

    Notes
    -----
    Queries that were sampled from searches are asked, or, if there are none, rows of the collection, each of all the
    others. A row as near as the k-th nearest counts as found, so that ties are no misses. The interval is Wilson's
    (1927), for as many independent trials as the spread of recall over the queries is worth (Kish's design effect,
    1965): neighbours of one query are found or missed together. Neither heat nor the sample takes notice of all this.
    """
    _check(k, sample, targets)
    # a measurement is no interest of anybody in a bucket
    quiet = replace(snapshot, segment_set=_uncounted(snapshot.segment_set))
    questions = _questions(quiet, sample)
    if not snapshot.n_live or (questions.rows is not None and snapshot.n_live < 2):
        return []
    wanted = k if questions.rows is None else k + 1
    goal = Goal(k=wanted, n_candidates=wanted * options.refine, is_exact=True, n_probe=None, target_recall=1.0)
    true_distances, _ = _answers(quiet, spec, questions, goal)
    taken_ns = time.time_ns()
    measurements = []
    for target in targets:
        found, scanned = _answers(quiet, spec, questions, replace(goal, is_exact=False, target_recall=target))
        recalls = _recalls(found, true_distances)
        low, high = interval(recalls, k)
        measurements.append(
            Measurement(
                version=snapshot.manifest.version,
                taken_ns=taken_ns,
                k=k,
                target=float(target),
                recall=float(recalls.mean()),
                low=low,
                high=high,
                scanned=scanned,
                n_queries=len(recalls),
                source="queries" if questions.rows is None else "rows",
            )
        )
    return measurements


def recall_frame(measurements: Sequence[Measurement]) -> pl.DataFrame:
    """One row per measurement, in their order.

    Returns
    -------
    polars.DataFrame
        `version`, `taken`, `k`, `target`, `recall` with `low` and `high` (its 95 % interval), `scanned` (mean share of
        rows), `queries` (how many), and `source`: "queries" sampled from searches, or "rows" of the collection.
    """
    names = {"taken": "taken_ns", "queries": "n_queries"}
    columns = {name: [getattr(one, names.get(name, name)) for one in measurements] for name in _SCHEMA}
    return pl.DataFrame(columns, schema=_SCHEMA)


def interval(recalls: NDArray[np.float64], k: int) -> tuple[float, float]:
    """Ends of the 95 % interval of the mean recall of queries with `k` neighbours each, 0 to 1."""
    n, mean = len(recalls), float(recalls.mean())
    variance = float(recalls.var(ddof=1)) / n if n > 1 else 0.0
    # where all queries are alike, each of them is one trial
    trials = min(max(mean * (1 - mean) / variance, 1.0), n * k) if variance > 0 else n
    squared = _Z_95**2 / trials
    centre = (mean + squared / 2) / (1 + squared)
    half = _Z_95 / (1 + squared) * math.sqrt(mean * (1 - mean) / trials + squared / (4 * trials))
    # rounding must not push the mean itself out of its interval
    return max(0.0, min(centre - half, mean)), min(1.0, max(centre + half, mean))


def _check(k: int, sample: int, targets: Sequence[float]) -> None:
    check_count("k", k, 1)
    check_count("the sample", sample, 1)
    wrong = [target for target in targets if not 0 < target < 1]
    if wrong or not targets:
        raise InvalidArgumentError(f"target recalls are numbers between 0 and 1, at least one; got={list(targets)}")


def _uncounted(segments: SegmentSet) -> SegmentSet:
    """The same buckets with counters of scans of their own."""
    touches, buckets = np.zeros_like(segments.touches), segments.buckets
    if buckets is None:
        return segments
    table = BucketTable(centroids=segments.centroids, buckets=buckets, touches=touches)
    return replace(segments, touches=touches, table=table)


def _questions(snapshot: Snapshot, sample: int) -> _Questions:
    queries = snapshot.observations.queries.vectors(sample)
    if len(queries):
        return _Questions(queries, None)
    rows, vectors = sample_rows(RowSpace(snapshot, None), sample, snapshot.manifest.version)
    return _Questions(vectors, rows)


def _answers(
    snapshot: Snapshot, spec: CollectionSpec, questions: _Questions, goal: Goal
) -> tuple[NDArray[np.float32], float]:
    """Ascending distances (nq, k) of what each query finds, infinite where there is nothing; share of rows scanned."""
    request = Request(queries=questions.queries, is_batch=True, predicate=None, columns=(), goal=goal)
    run = Run.of(snapshot, spec, request)
    n_queries, k = len(questions.queries), goal.k - (questions.rows is not None)
    distances = np.full((n_queries, k), np.inf, np.float32)
    shares = np.ones(n_queries)
    rows = snapshot.segment_set.counts
    for part in rank_rows(run, is_accounted=True):
        hits = part.hits
        if questions.rows is not None:
            # each row finds itself, which is no achievement
            hits = hits.at(hits.ids != questions.rows[hits.queries])
        places = np.arange(len(hits.queries)) - np.searchsorted(hits.queries, hits.queries)
        kept = places < k
        distances[hits.queries[kept], places[kept]] = hits.distances[kept]
        if part.probed is not None:
            is_probed = np.arange(part.probed.order.shape[1]) < part.probed.counts[:, np.newaxis]
            scanned = np.where(is_probed, rows[part.probed.order], 0).sum(axis=1)
            shares[part.start : part.stop] = scanned / rows.sum()
    return distances, float(shares.mean())


def _recalls(found: NDArray[np.float32], true: NDArray[np.float32]) -> NDArray[np.float64]:
    """(nq,) float64: share of each query's true nearest that were found, or others just as near."""
    n_true = np.isfinite(true).sum(axis=1)
    farthest = true[np.arange(len(true)), n_true - 1]
    n_found = (found <= farthest[:, np.newaxis]).sum(axis=1)
    recalls: NDArray[np.float64] = np.minimum(n_found / n_true, 1.0)
    return recalls
