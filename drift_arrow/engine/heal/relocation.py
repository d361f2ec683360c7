"""Rows of segments and memtables to one new segment, in one commit: the only way in which rows ever move."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.commit import next_manifest, publish
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.heal.source import identity
from drift_arrow.engine.recovery import open_reader
from drift_arrow.engine.segment_set import SegmentSet
from drift_arrow.engine.snapshot import SegmentView, live_mask
from drift_arrow.engine.storage import create_file
from drift_arrow.format.bitmap_file import encode_bitmap
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.manifest import FileEntry, SegmentEntry
from drift_arrow.format.segment_writer import write_segment
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from collections.abc import Callable

    from drift_arrow.engine.build import Built
    from drift_arrow.engine.heal.source import Source
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.calibration import Calibration
    from drift_arrow.format.manifest import Manifest

    Calibrate = Callable[[list[SegmentView], SegmentSet], Calibration | None]
    """From the segments of the new version and their bucket table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Where a writer's log stood when its active memtable was started; older rows are frozen or in segments."""

    wal_floor: int
    last_seqno: int
    writer_epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What a relocation does.

    Parameters
    ----------
    sources : tuple of Source
        Rows that move. A segment of which no live row is left is gone afterwards; of a memtable, all live rows move.
    built : Built or None
        The segment of these rows; None if there is none.
    """

    sources: tuple[Source, ...]
    built: Built | None

    @property
    def n_rows_of_segments(self) -> int:
        """Rows that were in a segment before."""
        return sum(len(source.rows) for source in self.sources if isinstance(source.view, SegmentView))


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocated:
    """A committed move, to be swapped into the current snapshot.

    Parameters
    ----------
    manifest : Manifest
        The new version.
    move : Move
    view : SegmentView or None
        The new segment with all rows alive; None if no row moved.
    """

    manifest: Manifest
    move: Move
    view: SegmentView | None


def relocate(storage: Storage, base: Snapshot, move: Move, *, rotation: Rotation, calibrate: Calibrate) -> Relocated:
    """Write the new segment and commit.

    Parameters
    ----------
    storage : Storage
        Of the collection, whose lock the caller holds.
    base : Snapshot
        A published, hence durable snapshot.
    move : Move
        Of rows of `base`.
    rotation : Rotation
        What the new version needs of the log: everything behind the memtables among the sources.
    calibrate : callable
        Gives the calibration of the new version.

    Raises
    ------
    CommitConflictError, StorageError
        Nothing changed but files that no manifest names; the caller may try again.

    Notes
    -----
    Order: segment durable, tombstones durable, manifest durable; only then may the caller swap its snapshot and delete
    what the manifest does not name. So a crash leaves the old version or the new one. Deletions that race the
    relocation are in the log behind `rotation`, and the caller carries them over in `swap_in`.
    """
    view = None if move.built is None else _write(storage, move.built)
    moved = {identity(source.view): source for source in move.sources}
    kept = []
    for segment in base.segments:
        source = moved.get(identity(segment))
        rest = segment if source is None or not len(source.rows) else segment.without(source.rows)
        if rest.n_live:
            kept.append(rest)
    entries = [_with_tombstones(storage, rest) for rest in kept]
    if view is not None:
        kept.append(view)
        entries.append(view.entry)
    segments = SegmentSet.of(tuple(rest.reader for rest in kept))
    manifest = next_manifest(
        base.manifest,
        tuple(entries),
        calibrate(kept, segments),
        writer_epoch=rotation.writer_epoch,
        wal_floor=rotation.wal_floor,
        last_seqno=rotation.last_seqno,
    )
    publish(storage, manifest)
    return Relocated(manifest=manifest, move=move, view=view)


def swap_in(head: Snapshot, relocated: Relocated) -> Snapshot:
    """The snapshot after `head` in which the rows of a relocation are alive in its segment, and nowhere else.

    Notes
    -----
    Rows that were deleted since the relocation began are dead in `head`'s views of the sources, and so in the new
    segment.
    """
    move = relocated.move
    current = {identity(view): view for view in head.views}
    moved = {identity(source.view): source for source in move.sources}
    entries = {entry.path: entry for entry in relocated.manifest.segments}
    segments = [
        replace(_left_behind(view, moved.get(identity(view))), entry=entries[view.entry.path])
        for view in head.segments
        if view.entry.path in entries
    ]
    if relocated.view is not None and move.built is not None:
        masks = [live_mask(current[identity(source.view)])[source.rows] for source in move.sources]
        alive = np.concatenate(masks)[move.built.order]
        live = None if alive.all() else bitmap.from_mask(alive)
        segments.append(replace(relocated.view, live=live, n_live=int(alive.sum())))
    return replace(
        head,
        generation=head.generation + 1,
        manifest=relocated.manifest,
        segments=tuple(segments),
        memtables=tuple(view for view in head.memtables if identity(view) not in moved),
        segment_set=SegmentSet.of(tuple(view.reader for view in segments), head.segment_set),
    )


def _left_behind(view: SegmentView, source: Source | None) -> SegmentView:
    if source is None:
        return view
    rows = source.rows if view.live is None else source.rows[bitmap.test(view.live, source.rows)]
    return view.without(rows) if len(rows) else view


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
