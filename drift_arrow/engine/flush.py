"""Frozen memtables, with small segments beside them, to one new segment and one new manifest."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.build import build_segment
from drift_arrow.engine.calibrate import refreshed
from drift_arrow.engine.commit import next_manifest, publish
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.recovery import open_reader
from drift_arrow.engine.segment_set import SegmentSet
from drift_arrow.engine.snapshot import SegmentView, Snapshot, live_mask
from drift_arrow.engine.storage import create_file
from drift_arrow.format.bitmap_file import encode_bitmap
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.manifest import FileEntry, SegmentEntry
from drift_arrow.format.segment_writer import write_segment
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from drift_arrow.engine.build import Built
    from drift_arrow.engine.snapshot import MemtableView, View
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest
    from drift_arrow.options import Options

_GROWTH: Final = 3
_FLOAT32_BYTES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Where a writer's log stood when its active memtable was started; older rows are frozen or in segments."""

    wal_floor: int
    last_seqno: int
    writer_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flushed:
    """A committed flush, to be swapped into the current snapshot.

    Parameters
    ----------
    manifest : Manifest
        The new version.
    inputs : tuple of View
        Views whose live rows moved into the new segment.
    built, view : Built or None, SegmentView or None
        The new segment with all rows alive; None if no input row was.
    """

    manifest: Manifest
    inputs: tuple[View, ...]
    built: Built | None
    view: SegmentView | None


def flush(storage: Storage, base: Snapshot, rotation: Rotation, spec: CollectionSpec, options: Options) -> Flushed:
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

    Raises
    ------
    CommitConflictError, StorageError
        Nothing changed but files that no manifest names; the caller may try again.

    Notes
    -----
    Order: segment durable, tombstones durable, manifest durable; only then may the caller swap its snapshot and delete
    what the manifest does not name. Deletions that race the flush are in the log behind `rotation`, and the caller
    carries them over in `swap_in`.
    """
    frozen = base.memtables[:-1]
    absorbed = choose_absorbed(base, frozen, spec, options)
    inputs: tuple[View, ...] = (*absorbed, *frozen)
    oldest = min([view.entry.seqno_range[0] for view in absorbed], default=base.manifest.last_seqno + 1)
    built = build_segment(inputs, spec, options, (oldest, rotation.last_seqno))
    view = None if built is None else _write(storage, built)
    kept = [view for view in base.segments if view not in absorbed and view.n_live]
    entries = [_with_tombstones(storage, kept_view) for kept_view in kept]
    if view is not None:
        kept.append(view)
        entries.append(view.entry)
    segments = SegmentSet.of(tuple(kept_view.reader for kept_view in kept))
    manifest = next_manifest(
        base.manifest,
        tuple(entries),
        refreshed(base.manifest.calibration, kept, segments, spec.metric, options.seed),
        writer_epoch=rotation.writer_epoch,
        wal_floor=rotation.wal_floor,
        last_seqno=rotation.last_seqno,
    )
    publish(storage, manifest)
    return Flushed(manifest=manifest, inputs=inputs, built=built, view=view)


def swap_in(head: Snapshot, flushed: Flushed) -> Snapshot:
    """The snapshot after `head` in which the inputs of a flush are replaced by its segment.

    Notes
    -----
    Rows that were deleted since the flush began are dead in `head`'s views of the inputs, and so in the new segment.
    """
    current = {_identity(view): view for view in head.views}
    gone = {_identity(view) for view in flushed.inputs}
    entries = {entry.path: entry for entry in flushed.manifest.segments}
    segments = [
        replace(view, entry=entries[view.entry.path])
        for view in head.segments
        if _identity(view) not in gone and view.entry.path in entries
    ]
    if flushed.view is not None and flushed.built is not None:
        alive = np.concatenate([live_mask(current[_identity(view)]) for view in flushed.inputs])[flushed.built.order]
        live = None if alive.all() else bitmap.from_mask(alive)
        segments.append(replace(flushed.view, live=live, n_live=int(alive.sum())))
    return replace(
        head,
        generation=head.generation + 1,
        manifest=flushed.manifest,
        segments=tuple(segments),
        memtables=tuple(view for view in head.memtables if _identity(view) not in gone),
        segment_set=SegmentSet.of(tuple(view.reader for view in segments), head.segment_set),
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


def _write(storage: Storage, built: Built) -> SegmentView:
    path = f"{SEGMENT_DIRECTORY}/{built.content.spec.uuid}.drift"
    with storage.create(path) as write:
        summary = write_segment(write, built.content)
    n_rows = len(built.order)
    entry = SegmentEntry(
        path=path,
        size_bytes=summary.size_bytes,
        digest=summary.digest,
        n_rows=n_rows,
        n_live=n_rows,
        seqno_range=built.content.spec.seqno_range,
        tombstones=None,
    )
    return SegmentView(entry=entry, reader=open_reader(storage, entry), live=None, n_live=n_rows)


def _with_tombstones(storage: Storage, view: SegmentView) -> SegmentEntry:
    # rows only ever die, so an equal count means equal rows
    if view.live is None or view.n_live == view.entry.n_live:
        return view.entry
    path = f"{TOMBSTONE_DIRECTORY}/{uuid.uuid4()}.bits"
    data = encode_bitmap(view.live, view.n_rows, view.reader.uuid)
    create_file(storage, path, data)
    tombstones = FileEntry(path=path, size_bytes=len(data), digest=xxh3_128(data))
    return replace(view.entry, n_live=view.n_live, tombstones=tombstones)


def _identity(view: View) -> int:
    return id(view.reader if isinstance(view, SegmentView) else view.memtable)
