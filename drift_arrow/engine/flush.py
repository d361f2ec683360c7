"""Frozen memtables, with small segments beside them, to one new segment and one new manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drift_arrow.engine.build import build_segment
from drift_arrow.engine.calibrate import refreshed
from drift_arrow.engine.heal.relocation import Move, Relocated, Rotation, relocate
from drift_arrow.engine.heal.source import whole

if TYPE_CHECKING:
    from drift_arrow.engine.snapshot import MemtableView, SegmentView, Snapshot, View
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.calibration import Calibration
    from drift_arrow.options import Options

_GROWTH: Final = 3
_FLOAT32_BYTES: Final = 4


def flush(
    storage: Storage,
    base: Snapshot,
    rotation: Rotation,
    spec: CollectionSpec,
    options: Options,
    *,
    fitting: Calibration | None,
) -> Relocated:
    """Write the frozen memtables of `base` and commit.

    Parameters
    ----------
    storage : Storage
        Of the collection, whose lock the caller holds.
    base : Snapshot
        A published, hence durable snapshot; all its memtables but the last are flushed.
    rotation : Rotation
        Of the active memtable of `base`.
    spec, options : CollectionSpec, Options
        Of the collection.
    fitting : Calibration or None
        That of `base`, if it still fits its rows.

    Raises
    ------
    CommitConflictError, StorageError
        As `relocate`.
    """
    frozen = base.memtables[:-1]
    absorbed = choose_absorbed(base, frozen, spec, options)
    inputs: tuple[View, ...] = (*absorbed, *frozen)
    sources = tuple(whole(view) for view in inputs)
    oldest = min([view.entry.seqno_range[0] for view in absorbed], default=base.manifest.last_seqno + 1)
    built = build_segment(sources, None, spec, options, (oldest, rotation.last_seqno))
    return relocate(
        storage,
        base,
        Move(sources=sources, built=built),
        rotation=rotation,
        calibrate=lambda kept, segments: refreshed(fitting, kept, segments, spec.metric, options.seed),
    )


def choose_absorbed(
    base: Snapshot, frozen: tuple[MemtableView, ...], spec: CollectionSpec, options: Options
) -> tuple[SegmentView, ...]:
    """Segments to merge into the new one: smallest first, while they are not much larger than what is merged so far.

    Notes
    -----
    Keeps the number of segments logarithmic in the rows, as size-tiered compaction does (O'Neil et al. 1996,
    LSM-tree), at a bounded write amplification; a segment that is mostly dead is absorbed as well.
    """
    max_rows = options.merge_bytes // (_FLOAT32_BYTES * spec.dim)
    n_rows = sum(view.n_live for view in frozen)
    absorbed = []
    for view in sorted(base.segments, key=lambda view: view.n_live):
        mostly_dead = view.n_live * 2 < view.n_rows
        if n_rows + view.n_live <= max_rows and (view.n_live <= _GROWTH * n_rows or mostly_dead):
            absorbed.append(view)
            n_rows += view.n_live
    return tuple(absorbed)
