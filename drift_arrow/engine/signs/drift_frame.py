"""The signs of drift of every bucket as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from drift_arrow.engine.signs.bucket_statistics import measure_buckets
from drift_arrow.engine.signs.query_shift import nearest_of_queries
from drift_arrow.engine.signs.urgency import Reason, urgency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.signs.bucket_statistics import BucketStatistics
    from drift_arrow.engine.snapshot import Snapshot


def drift_frame(snapshot: Snapshot) -> pl.DataFrame:
    """One row per bucket of the segments, in the order of the snapshot's.

    Returns
    -------
    polars.DataFrame
        `segment`, `bucket`, `urgency` (0 to 1) and its `reason`; `live` and `dead` rows, `zombie_ratio` (share of dead
        ones), `fullness` (live rows over those of a bucket built anew), `heat` (queries that scanned it, recent ones
        counted more); `drift` (shift of the mean from the founding centroid, in radii), `radius`, `quantisation_error`
        (of codes, relative to the spread of the rows), `range_shift` (share of the codes' range that is not used any
        more), `age` (operations since its rows were written); sampled `queries` that are nearest to it, and
        `query_shift` (their distance from the centroid, in radii; null without any).
    """
    statistics = measure_buckets(snapshot)
    heat = snapshot.observations.heat.of(snapshot.segment_set)
    ranked = urgency(statistics, heat)
    n_queries, query_shift = _queries(snapshot, statistics)
    return pl.DataFrame(
        {
            "segment": np.array([view.reader.uuid for view in snapshot.segments], str)[statistics.segment],
            "bucket": statistics.bucket,
            "urgency": ranked.values,
            "reason": np.array([reason.name.lower() for reason in Reason])[ranked.reasons],
            "live": statistics.live,
            "dead": statistics.dead,
            "zombie_ratio": statistics.zombie_ratio,
            "fullness": statistics.fullness,
            "heat": heat,
            "drift": statistics.drift,
            "radius": statistics.radius,
            "quantisation_error": statistics.quantisation_error,
            "range_shift": statistics.range_shift,
            "age": statistics.age,
            "queries": n_queries,
            "query_shift": query_shift,
        },
        schema_overrides={"segment": pl.String, "reason": pl.String},
    ).with_columns(pl.col("query_shift").fill_nan(None))


def _queries(snapshot: Snapshot, statistics: BucketStatistics) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sampled queries to which each bucket is the nearest, and their root mean square distance in radii, or NaN."""
    nearest = nearest_of_queries(snapshot)
    counts = np.bincount(nearest.buckets, minlength=len(statistics))
    squares = np.bincount(nearest.buckets, np.square(nearest.distances), minlength=len(statistics))
    is_known = (counts > 0) & (statistics.radius > 0)
    apart = np.sqrt(squares / np.maximum(counts, 1))
    shift = np.divide(apart, statistics.radius, out=np.full(len(statistics), np.nan), where=is_known)
    return counts.astype(np.int64), shift
