"""Delete what no retained manifest names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.storage import for_all
from drift_arrow.engine.wal import WAL_DIRECTORY, parse_wal_path
from drift_arrow.engine.wal_objects import is_fence

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest

SEGMENT_DIRECTORY: Final = "segments"
TOMBSTONE_DIRECTORY: Final = "tombstones"


def doomable_files(storage: Storage) -> frozenset[str] | None:
    """Files that `collect_garbage` may delete once the caller has committed: those that are there now; None if all.

    Notes
    -----
    Where no lock excludes other writers, a file that no manifest names may be one that the next manifest of another
    writer names. A commit of ours proves that it does not: whoever commits after us began behind our commit, so all its
    files are younger than this listing.
    """
    if storage.appends:
        return None
    directories = (SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY)
    return frozenset(file.path for directory in directories for file in storage.list_files(directory))


def collect_garbage(storage: Storage, retained_versions: int, doomable: frozenset[str] | None = None) -> list[str]:
    """Delete all files of a collection but those of its newest versions; returns the deleted paths.

    Parameters
    ----------
    storage : Storage
        Of the collection, whose lock the caller holds, with no segment being written.
    retained_versions : int
        Newest manifests to keep, with every file they name.
    doomable : frozenset of str, optional
        Segments and tombstones not in it are kept; see `doomable_files`.

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
    manifests = [manifest_path(version) for version in versions[:-retained_versions]]
    doomed = []
    for directory in (SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY):
        unnamed = [file.path for file in storage.list_files(directory) if file.path not in named]
        doomed += [path for path in unnamed if doomable is None or path in doomable]
    for file in storage.list_files(WAL_DIRECTORY):
        parsed = parse_wal_path(file.path)
        if parsed is not None and parsed[1] < wal_floor and not is_fence(file):
            doomed.append(file.path)
    for path in manifests:
        storage.delete(path)
    for_all(storage, storage.delete, doomed)
    return manifests + doomed


def named_files(manifest: Manifest) -> list[str]:
    """Paths of all segment and tombstone files of one version."""
    segments = [entry.path for entry in manifest.segments]
    return segments + [entry.tombstones.path for entry in manifest.segments if entry.tombstones is not None]
