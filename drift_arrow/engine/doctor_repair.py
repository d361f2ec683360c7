"""Repair what can be repaired without making data up; whatever is given up is moved away, never deleted."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from drift_arrow.engine.commit import list_versions, next_manifest, publish
from drift_arrow.engine.doctor import QUARANTINE_DIRECTORY, diagnose
from drift_arrow.engine.doctor_finding import Gravity, Kind
from drift_arrow.engine.gc import collect_garbage
from drift_arrow.engine.recovery import read_options
from drift_arrow.engine.registry import is_open
from drift_arrow.engine.storage import create_file
from drift_arrow.engine.wal import WAL_DIRECTORY, Wal, parse_wal_path
from drift_arrow.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from drift_arrow.engine.doctor import Diagnosis
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest


def repair(storage: Storage, database: Storage, *, accept_loss: bool) -> Diagnosis:
    """Diagnose, repair, and return the diagnosis of before.

    Parameters
    ----------
    storage, database : Storage
        Of the collection, and of the root that holds it.
    accept_loss : bool
        Move damaged files into the directory ``quarantine`` and commit a version without them. Otherwise only what was
        left by crashes is removed, and damage stays as it is.

    Raises
    ------
    LockedError, InvalidArgumentError
        The collection is open for writing, elsewhere or in this process.
    NotFoundError
        There is nothing of a collection.
    StorageError
        A step failed; each one before it holds, and the repair can be run again.

    Notes
    -----
    First the version without the damaged files is committed, then they are copied into the quarantine, then removed: a
    crash in between leaves a collection that opens, and files that the next repair moves.
    """
    if is_open(storage.uri):
        message = f"the collection is open in this process: close it first; path={storage.uri!r}"
        raise InvalidArgumentError(message)
    lock = storage.lock()
    try:
        found = diagnose(storage, database)
        storage.settle()
        for finding in found.findings:
            if finding.kind is Kind.DROPPED_COLLECTION:
                database.delete_child(finding.path)
        if found.base is None:
            return found
        if found.has(Gravity.LOSS):
            if not accept_loss:
                return found
            _give_up(storage, found, found.base)
        collect_garbage(storage, read_options(found.base))
        return found
    finally:
        lock.release()


def _give_up(storage: Storage, found: Diagnosis, base: Manifest) -> None:
    """Commit what is sound, and move the rest away."""
    assert found.log is not None
    storage.make_directories((QUARANTINE_DIRECTORY,))
    newest = list_versions(storage)[-1]
    wal_floor, last_seqno, epoch = base.wal_floor, base.last_seqno, _highest_epoch(storage, base)
    if found.log.first is None:
        # not a single record can be replayed, and a manifest needs a log to build on
        wal_floor, epoch = max([base.wal_floor, *_numbers(storage)]) + 1, epoch + 1
        Wal(storage, base.collection_uuid, writer_epoch=epoch, number=wal_floor, first_seqno=last_seqno + 1).close()
    elif found.log.first[0] > base.wal_floor:
        # the operations between the version and the log went with the manifests that are damaged
        wal_floor, last_seqno = found.log.first[0], found.log.first[1] - 1
    if newest > base.version or len(found.sound) < len(base.segments) or wal_floor > base.wal_floor:
        segments = tuple(found.sound)
        keep = base.calibration if len(segments) == len(base.segments) else None
        manifest = next_manifest(base, segments, keep, writer_epoch=epoch, wal_floor=wal_floor, last_seqno=last_seqno)
        publish(storage, replace(manifest, version=newest + 1))
    for path in (*found.quarantine, *found.log.dropped):
        _move(storage, path)
    if found.log.cut is not None:
        _cut(storage, *found.log.cut)


def _move(storage: Storage, path: str) -> None:
    if _keep_copy(storage, path):
        storage.delete(path)


def _cut(storage: Storage, path: str, n_bytes: int) -> None:
    """Leave of a log what can be replayed; all of it is in the quarantine before."""
    data = bytes(storage.map(path)[:n_bytes])
    _move(storage, path)
    create_file(storage, path, data)


def _keep_copy(storage: Storage, path: str) -> bool:
    """Copy a file into the quarantine, durably; False if there is no such file."""
    try:
        data = storage.map(path)
    except NotFoundError:
        return False
    # it may be there from a repair that was cut off
    with contextlib.suppress(AlreadyExistsError):
        create_file(storage, f"{QUARANTINE_DIRECTORY}/{path.replace('/', '-')}", data)
    return True


def _numbers(storage: Storage) -> list[int]:
    parsed = [parse_wal_path(file.path) for file in storage.list_files(WAL_DIRECTORY)]
    return [names[1] for names in parsed if names is not None]


def _highest_epoch(storage: Storage, base: Manifest) -> int:
    parsed = [parse_wal_path(file.path) for file in storage.list_files(WAL_DIRECTORY)]
    return max([base.writer_epoch, *(names[0] for names in parsed if names is not None)])
