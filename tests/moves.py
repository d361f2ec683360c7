"""Moves of any rows to any buckets, to be tried where healing would choose well."""

from __future__ import annotations

import random

import numpy as np

from drift_arrow.engine.build import Targets, build_segment
from drift_arrow.engine.core import Core
from drift_arrow.engine.heal.relocation import Move
from drift_arrow.engine.heal.source import Source
from drift_arrow.engine.snapshot import Snapshot, live_mask


def any_move(core: Core, snapshot: Snapshot, rng: random.Random) -> Move | None:
    """Some rows of some segments, to as many buckets as chance wants, far from where they belong."""
    share = rng.choice((0.1, 0.5, 1.0))
    sources, ranges = [], []
    for view in snapshot.segments:
        rows = np.flatnonzero(live_mask(view))
        if rng.random() < 0.7:
            picked = [row for row in rows.tolist() if rng.random() < share]
            sources.append(Source(view=view, rows=np.array(picked, dtype=np.int64)))
            ranges.append(view.entry.seqno_range)
    n_rows = sum(len(source.rows) for source in sources)
    if not n_rows:
        return None
    n_buckets = rng.randint(1, 5)
    numbers = np.random.default_rng(rng.randint(0, 9999))
    targets = Targets(
        centroids=numbers.normal(size=(n_buckets, core.spec.dim)).astype(np.float32),
        owner=numbers.integers(n_buckets, size=n_rows).astype(np.uint32),
    )
    seqno_range = (min(first for first, _ in ranges), max(last for _, last in ranges))
    built = build_segment(sources, targets, core.spec, core.options, seqno_range)
    return Move(sources=tuple(sources), built=built)


def move_any(core: Core, seed: int) -> None:
    """Do such a move; the calibration stays."""
    rng = random.Random(seed)
    core.maintenance.move(lambda base: any_move(core, base, rng), lambda *_: core.snapshot.manifest.calibration)
