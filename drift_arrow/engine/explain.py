"""What a search scanned, part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from drift_arrow.engine.candidates import segment_candidates
from drift_arrow.engine.run import Run
from drift_arrow.engine.spec import QUERY_COLUMN

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.execute import Request
    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.kernels.probe import Probed

_SCHEMA: Final = {
    QUERY_COLUMN: pl.UInt32,
    "part": pl.String,
    "how": pl.String,
    "rows": pl.Int64,
    "allowed_rows": pl.Int64,
    "buckets": pl.Int64,
    "probed_buckets": pl.Int64,
    "scanned_rows": pl.Int64,
}


def explain(snapshot: Snapshot, spec: CollectionSpec, request: Request) -> pl.DataFrame:
    """Scan the segments as `execute` would, and say what was scanned.

    Returns
    -------
    polars.DataFrame
        A row per query and part: `query_index`, `part` (path of a segment, or memtable with its number), `how`
        ("probed", "exact" or "memtable"), `rows` of the part, `allowed_rows` that are alive and satisfy `where`,
        `buckets` ranked, `probed_buckets`, and `scanned_rows` of these or, without buckets, those allowed.
    """
    run = Run.of(snapshot, spec, request)
    space = run.space
    probed = segment_candidates(space, request.queries, run.goal, spec.metric, run.maker).probed
    n_queries, how = len(request.queries), "exact" if probed is None else "probed"
    frames = []
    for number, view in enumerate(space.views):
        is_segment = number < space.n_segments
        n_buckets, n_probed, n_scanned = None, None, np.full(n_queries, space.n_allowed[number])
        if is_segment and probed is not None:
            n_buckets = len(snapshot.segment_set.readers[number].centroids)
            n_probed, n_scanned = _probed_of(snapshot.segment_set, number, probed)
        columns: dict[str, Any] = {
            QUERY_COLUMN: np.arange(n_queries),
            "part": snapshot.segments[number].entry.path if is_segment else f"memtable {number - space.n_segments}",
            "how": how if is_segment else "memtable",
            "rows": view.n_rows,
            "allowed_rows": space.n_allowed[number],
            "buckets": n_buckets,
            "probed_buckets": n_probed,
            "scanned_rows": n_scanned,
        }
        frames.append(pl.DataFrame(columns, schema=_SCHEMA))
    return pl.concat(frames).sort(QUERY_COLUMN, maintain_order=True)


def _probed_of(segments: SegmentSet, number: int, probed: Probed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each query, the buckets of one segment that were scanned, and their rows."""
    assert segments.buckets is not None
    sizes = [len(reader.centroids) for reader in segments.readers]
    start = sum(sizes[:number])
    is_mine = (probed.order >= start) & (probed.order < start + sizes[number])
    is_mine &= np.arange(probed.order.shape[1]) < probed.counts[:, np.newaxis]
    rows = segments.buckets.rows.astype(np.int64)[probed.order]
    return is_mine.sum(axis=1), np.where(is_mine, rows, 0).sum(axis=1)
