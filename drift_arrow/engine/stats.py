"""Figures of a collection, and the report of a verification."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from drift_arrow.engine.commit import MANIFEST_DIRECTORY, manifest_path, read_manifest
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.recovery import log_files, open_reader, read_tombstones, scan_log
from drift_arrow.engine.wal import WAL_DIRECTORY
from drift_arrow.format.checksum import check_xxh3_128

if TYPE_CHECKING:
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage

_DIRECTORIES = (MANIFEST_DIRECTORY, SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY, WAL_DIRECTORY)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a verification read: files, bytes, and rows of segments (dead ones included)."""

    files: int
    bytes: int
    rows: int

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


def verify(storage: Storage, version: int) -> VerifyReport:
    """Check every byte of a version's manifest, segments and tombstones, and of the logs behind it.

    Raises
    ------
    CorruptionError
        Path and offset of the first damage.
    NotFoundError
        A named file is missing, or was deleted because a newer version does not name it.
    """
    storage = storage.original()
    manifest = read_manifest(storage, version)
    sizes = {manifest_path(version): len(manifest.encode())}
    for entry in manifest.segments:
        reader = open_reader(storage, entry)
        reader.verify()
        check_xxh3_128(storage.map(entry.path), entry.digest, what="segment", path=entry.path, offset=0)
        sizes[entry.path] = entry.size_bytes
        if entry.tombstones is not None:
            read_tombstones(storage, entry.tombstones, reader)
            sizes[entry.tombstones.path] = entry.tombstones.size_bytes
    for _, file in log_files(storage, manifest):
        scan_log(storage, file.path, manifest.collection_uuid)
        sizes[file.path] = file.size_bytes
    rows = sum(entry.n_rows for entry in manifest.segments)
    return VerifyReport(files=len(sizes), bytes=sum(sizes.values()), rows=rows)
