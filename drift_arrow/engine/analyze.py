"""Running a search and accounting for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from drift_arrow.engine.analysis import STAGES, Analysis
from drift_arrow.engine.execute import fetch
from drift_arrow.engine.laps import Laps
from drift_arrow.engine.ranking import rank_rows
from drift_arrow.engine.run import Run
from drift_arrow.engine.spec import QUERY_COLUMN

if TYPE_CHECKING:
    from drift_arrow.engine.execute import Request
    from drift_arrow.engine.ranking import Ranked
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec

_SCHEMA: Final = {
    QUERY_COLUMN: pl.UInt32,
    "how": pl.String,
    **dict.fromkeys(("rows", "allowed_rows", "filter_runs", "pruned_runs", "certain_runs"), pl.Int64),
    **dict.fromkeys(("buckets", "probed_buckets", "scanned_rows", "code_bytes", "memtable_rows"), pl.Int64),
    **dict.fromkeys(("candidates", "returned_rows"), pl.Int64),
    **{f"{stage}_s": pl.Float64 for stage in STAGES},
}


def analyze(snapshot: Snapshot, spec: CollectionSpec, request: Request, title: str) -> Analysis:
    """Run a search as `execute` does, and keep what it read and took instead of its rows."""
    laps = Laps()
    run = Run.of(snapshot, spec, request)
    laps.lap("filter")
    parts = rank_rows(run, is_accounted=True)
    laps.lap("")
    fetch(run, parts)
    laps.lap("fetch")
    n_queries = len(request.queries)
    shared = {
        **_allowed(run),
        "filter_s": laps.seconds["filter"] / max(1, n_queries),
        "fetch_s": laps.seconds["fetch"] / max(1, n_queries),
    }
    frames = [pl.DataFrame({**shared, **_part(run, part)}, schema=_SCHEMA) for part in parts]
    return Analysis(title, pl.concat(frames))


def _allowed(run: Run) -> dict[str, int]:
    """What the filter left and what it read, the same for all queries."""
    space = run.space
    return {
        "rows": sum(view.n_rows for view in space.views),
        "allowed_rows": sum(space.n_allowed),
        "filter_runs": sum(part.n_runs for part in space.filtered),
        "pruned_runs": sum(part.n_pruned for part in space.filtered),
        "certain_runs": sum(part.n_certain for part in space.filtered),
        "memtable_rows": sum(space.n_allowed[space.n_segments :]),
    }


def _part(run: Run, part: Ranked) -> dict[str, Any]:
    """What differs between queries."""
    size = part.stop - part.start
    n_exact = sum(run.space.n_allowed[: run.space.n_segments])
    found: dict[str, Any] = {
        QUERY_COLUMN: np.arange(part.start, part.stop),
        "how": "exact" if n_exact else "empty",
        "buckets": None,
        "probed_buckets": None,
        "scanned_rows": np.full(size, n_exact),
        "code_bytes": None,
        "candidates": part.n_candidates,
        "returned_rows": np.bincount(part.hits.queries - part.start, minlength=size),
        **{f"{stage}_s": part.seconds[stage] / max(1, size) for stage in ("scan", "memtable", "rescore")},
    }
    if part.probed is None:
        return found
    buckets, order = run.space.snapshot.segment_set.buckets, part.probed.order
    assert buckets is not None
    is_probed = np.arange(order.shape[1]) < part.probed.counts[:, np.newaxis]
    rows = np.where(is_probed, buckets.rows.astype(np.int64)[order], 0).sum(axis=1)
    return found | {
        "how": "probed",
        "buckets": order.shape[1],
        "probed_buckets": part.probed.counts,
        "scanned_rows": rows,
        "code_bytes": rows * run.spec.dim,
    }
