"""Manifests on storage: find the newest, publish the next, once."""

from __future__ import annotations

import contextlib
import re
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.storage import create_file
from drift_arrow.errors import AlreadyExistsError, CommitConflictError, CorruptionError, FencedError, NotFoundError
from drift_arrow.format.layout import MAX_MANIFEST_BYTES
from drift_arrow.format.manifest import Manifest, SegmentEntry, decode_manifest

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.calibration import Calibration

MANIFEST_DIRECTORY: Final = "manifests"
_NAME: Final = re.compile(r"^manifests/([0-9]{20})\.json$")


def manifest_path(version: int) -> str:
    """Path of one manifest, relative to its collection."""
    return f"{MANIFEST_DIRECTORY}/{version:020d}.json"


def list_versions(storage: Storage) -> list[int]:
    """Numbers of the manifests that exist, oldest first."""
    matches = [_NAME.match(file.path) for file in storage.list_files(MANIFEST_DIRECTORY)]
    return sorted(int(match[1]) for match in matches if match)


def read_manifest(storage: Storage, version: int) -> Manifest:
    """One version; raises NotFoundError or CorruptionError."""
    path = manifest_path(version)
    manifest = decode_manifest(storage.read(path, MAX_MANIFEST_BYTES), path)
    if manifest.version != version:
        message = f"the manifest is of another version than its name says; got={manifest.version}"
        raise CorruptionError(message, path=path, offset=0)
    return manifest


def read_newest(storage: Storage) -> Manifest:
    """The newest version; raises NotFoundError if there is none, CorruptionError if it is damaged.

    Notes
    -----
    Never falls back to an older version: that would resurrect deleted rows and lose acknowledged ones.
    """
    versions = list_versions(storage)
    if not versions:
        message = f"no collection here; path={storage.uri!r}"
        raise NotFoundError(message)
    return read_manifest(storage, versions[-1])


def publish(storage: Storage, manifest: Manifest) -> None:
    """Make `manifest` the newest version, durably.

    Raises
    ------
    CommitConflictError
        Another writer took the version; nothing was written.
    FencedError
        That writer came after this one, and took the collection over.
    StorageError
        Nothing was written; on an object store, perhaps it was, and the next attempt meets it as a conflict.
    """
    try:
        create_file(storage, manifest_path(manifest.version), manifest.encode())
    except AlreadyExistsError as error:
        if _newest_epoch(storage) > manifest.writer_epoch:
            raise _fenced(storage, manifest) from error
        message = f"another writer committed first: reopen the collection; version={manifest.version}"
        raise CommitConflictError(message) from error
    # a writer that slept while others committed may find its version free again: they delete their old manifests
    if not storage.appends and list_versions(storage)[-1] != manifest.version:
        storage.delete(manifest_path(manifest.version))
        raise _fenced(storage, manifest)


def _newest_epoch(storage: Storage) -> int:
    while True:
        # between listing and reading, another writer may replace the newest version
        with contextlib.suppress(NotFoundError):
            return read_newest(storage).writer_epoch


def _fenced(storage: Storage, manifest: Manifest) -> FencedError:
    message = (
        "another writer took this collection over, and nothing was committed: open it again to take it back; "
        f"path={storage.uri!r} version={manifest.version}"
    )
    return FencedError(message)


def next_manifest(
    parent: Manifest,
    segments: tuple[SegmentEntry, ...],
    calibration: Calibration | None,
    *,
    writer_epoch: int,
    wal_floor: int,
    last_seqno: int,
) -> Manifest:
    """The version after `parent`."""
    return replace(
        parent,
        version=parent.version + 1,
        parent_digest=parent.digest,
        txn=uuid.uuid4().hex,
        created_ns=time.time_ns(),
        segments=segments,
        writer_epoch=writer_epoch,
        wal_floor=wal_floor,
        last_seqno=last_seqno,
        calibration=calibration,
    )
