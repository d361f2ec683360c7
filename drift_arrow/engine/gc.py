"""Delete what no retained manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.wal import WAL_DIRECTORY, parse_wal_path

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest

SEGMENT_DIRECTORY: Final = "segments"
TOMBSTONE_DIRECTORY: Final = "tombstones"


def collect_garbage(storage: Storage, retained_versions: int) -> list[str]:
    """Delete all files of a collection but those of its newest versions; returns the deleted paths.

    Parameters
    ----------
    storage : Storage
        Of the collection, whose lock the caller holds, with no segment being written.
    retained_versions : int
        Newest manifests to keep, with every file they name.

    Raises
    ------
    CorruptionError, NotFoundError, StorageError
        A retained manifest cannot be read: then nothing is deleted, since what it names is unknown.

    Notes
    -----
    Manifests go first, oldest first, then the files: a crash in between leaves unnamed files, never a manifest that
    names a missing one. Readers that mapped a deleted file keep its bytes until they let go.
    """
    versions = list_versions(storage)
    retained = [read_manifest(storage, version) for version in versions[-retained_versions:]]
    named = {path for manifest in retained for path in named_files(manifest)}
    wal_floor = retained[-1].wal_floor
    doomed = [manifest_path(version) for version in versions[:-retained_versions]]
    for directory in (SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY):
        doomed += [file.path for file in storage.list_files(directory) if file.path not in named]
    for file in storage.list_files(WAL_DIRECTORY):
        parsed = parse_wal_path(file.path)
        if parsed is not None and parsed[1] < wal_floor:
            doomed.append(file.path)
    for path in doomed:
        storage.delete(path)
    return doomed


def named_files(manifest: Manifest) -> list[str]:
    """Paths of all segment and tombstone files of one version."""
    segments = [entry.path for entry in manifest.segments]
    return segments + [entry.tombstones.path for entry in manifest.segments if entry.tombstones is not None]
