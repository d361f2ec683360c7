"""Delete what no retained manifest names."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.tags import list_tags, read_tagged
from drift_arrow.engine.wal import WAL_DIRECTORY, parse_wal_path

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest, SegmentEntry
    from drift_arrow.options import Options

SEGMENT_DIRECTORY: Final = "segments"
TOMBSTONE_DIRECTORY: Final = "tombstones"
_OURS: Final = re.compile(r"segments/[0-9a-f-]{36}\.drift|tombstones/[0-9a-f-]{36}\.bits")
_NS: Final = 1_000_000_000


def collect_garbage(storage: Storage, options: Options) -> list[str]:
    """Delete all files of a collection but those of the versions that are kept; returns the deleted paths.

    Parameters
    ----------
    storage : Storage
        Of the collection, whose lock the caller holds, with no segment being written.
    options : Options
        `retained_versions` newest manifests are kept, those that were the newest one in the last `retained_seconds`,
        and those with a tag; with every file they name.

    Raises
    ------
    CorruptionError, NotFoundError, StorageError
        A tag, or a manifest that is kept or may have to be, cannot be read: then nothing is deleted, since what it
        names is unknown.

    Notes
    -----
    Manifests go first, oldest first, then the files: a crash in between leaves unnamed files, never a manifest that
    names a missing one. Files whose names no collection gives are left alone. Readers that mapped a deleted file keep
    its bytes until they let go.
    """
    versions = list_versions(storage)
    retained = retained_manifests(storage, versions, options)
    named = {path for manifest in retained.values() for path in named_files(manifest)}
    wal_floor = retained[versions[-1]].wal_floor
    doomed = [manifest_path(version) for version in versions if version not in retained]
    for directory in (SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY):
        paths = [file.path for file in storage.list_files(directory)]
        doomed += [path for path in paths if path not in named and is_ours(path)]
    for file in storage.list_files(WAL_DIRECTORY):
        parsed = parse_wal_path(file.path)
        if parsed is not None and parsed[1] < wal_floor:
            doomed.append(file.path)
    for path in doomed:
        storage.delete(path)
    return doomed


def retained_manifests(storage: Storage, versions: list[int], options: Options) -> dict[int, Manifest]:
    """Manifests that are kept, by version, out of those that exist; raises as `collect_garbage`."""
    newest = versions[-options.retained_versions :]
    retained = {version: read_manifest(storage, version) for version in newest}
    for tag in list_tags(storage):
        retained[tag.version] = read_tagged(storage, tag, retained[versions[-1]].collection_uuid)
    if options.retained_seconds:
        oldest_ns = time.time_ns() - options.retained_seconds * _NS
        every = {version: retained.get(version) or read_manifest(storage, version) for version in versions}
        for version, successor in pairwise(versions):
            # a version was the newest one until the next one was made
            if every[successor].created_ns > oldest_ns:
                retained[version] = every[version]
    return retained


def is_ours(path: str) -> bool:
    """Whether a path is one that a collection gives to a segment or to tombstones: no other file is ever deleted."""
    return _OURS.fullmatch(path) is not None


def named_files(manifest: Manifest) -> list[str]:
    """Paths of all segment and tombstone files of one version."""
    return [path for entry in manifest.segments for path in files_of(entry)]


def files_of(entry: SegmentEntry) -> list[str]:
    """Paths of a segment and of its tombstones, if it has any."""
    return [entry.path] if entry.tombstones is None else [entry.path, entry.tombstones.path]
