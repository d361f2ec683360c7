"""Figures of a collection."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from drift_arrow.engine.commit import MANIFEST_DIRECTORY
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.tags import TAG_DIRECTORY
from drift_arrow.engine.wal import WAL_DIRECTORY

if TYPE_CHECKING:
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage

_DIRECTORIES = (MANIFEST_DIRECTORY, SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY, WAL_DIRECTORY, TAG_DIRECTORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionStats:
    """Figures of one snapshot and of the files behind it; sizes in bytes.

    Parameters
    ----------
    rows, deleted_rows : int
        Alive, and dead but not yet purged.
    memtable_rows : int
        Alive and not yet in a segment.
    memtable_bytes : int
        Memory that the rows in memtables take, dead ones included: vectors, codes, keys, columns, and graphs.
    dim, metric : int, str
        Of the vectors.
    segments, buckets, memtables : int
        How many there are; the active memtable counts.
    version, seqno : int
        Newest manifest and newest durable operation.
    code_bytes : int
        SQ8 codes that a scan of every bucket reads.
    segment_bytes, wal_bytes, disk_bytes : int
        Segments of this version, log files, and all files, those of older retained versions too.
    files : int
        Files of the collection.
    """

    rows: int
    deleted_rows: int
    memtable_rows: int
    memtable_bytes: int
    dim: int
    metric: str
    segments: int
    buckets: int
    memtables: int
    version: int
    seqno: int
    code_bytes: int
    segment_bytes: int
    wal_bytes: int
    disk_bytes: int
    files: int

    def to_dict(self) -> dict[str, Any]:
        """All figures by name."""
        return asdict(self)


def collect_stats(storage: Storage, spec: CollectionSpec, snapshot: Snapshot) -> CollectionStats:
    """Figures of `snapshot`; lists the directories, reads no file."""
    files = [file for directory in _DIRECTORIES for file in storage.list_files(directory)]
    sizes = dict.fromkeys(_DIRECTORIES, 0)
    for file in files:
        sizes[file.path.split("/", 1)[0]] += file.size_bytes
    views = snapshot.views
    n_segment_rows = sum(view.n_rows for view in snapshot.segments)
    return CollectionStats(
        rows=snapshot.n_live,
        deleted_rows=sum(view.n_rows - view.n_live for view in views),
        memtable_rows=sum(view.n_live for view in snapshot.memtables),
        memtable_bytes=sum(view.memtable.nbytes for view in snapshot.memtables),
        dim=spec.dim,
        metric=spec.metric,
        segments=len(snapshot.segments),
        buckets=len(snapshot.segment_set.centroids),
        memtables=len(snapshot.memtables),
        version=snapshot.manifest.version,
        seqno=snapshot.seqno,
        code_bytes=n_segment_rows * spec.dim,
        segment_bytes=sum(view.entry.size_bytes for view in snapshot.segments),
        wal_bytes=sizes[WAL_DIRECTORY],
        disk_bytes=sum(sizes.values()),
        files=len(files),
    )
