"""Explain what is wrong with a collection that cannot be opened, or that was left by a crash; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.commit import MANIFEST_DIRECTORY, list_versions, manifest_path, read_manifest
from drift_arrow.engine.doctor_finding import Finding, Gravity, Kind, or_give_up
from drift_arrow.engine.doctor_log import LogState, examine_log
from drift_arrow.engine.doctor_segment import examine_segment
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY, files_of, is_ours, named_files
from drift_arrow.engine.spec import CollectionSpec
from drift_arrow.engine.tags import TAG_DIRECTORY, read_tag, read_tagged
from drift_arrow.engine.wal import WAL_DIRECTORY, parse_wal_path
from drift_arrow.errors import CorruptionError, InvalidArgumentError, NotFoundError, UnsupportedFormatError

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest, SegmentEntry

QUARANTINE_DIRECTORY: Final = "quarantine"
_TEMPORARY: Final = ".tmp-"


@dataclass(slots=True)
class Diagnosis:
    """What was found, and what a repair needs to know.

    Parameters
    ----------
    findings : list of Finding
        In the order of a collection's files: manifests, segments, log, tags, and the rest.
    base : Manifest or None
        The newest manifest that can be read.
    sound : list of SegmentEntry
        Its segments that are whole, tombstones included.
    log : LogState or None
        Of the log behind `base`.
    quarantine : list of str
        Files that a repair with consent moves away: the damaged ones, and others that are of no use without them.
    """

    findings: list[Finding] = field(default_factory=list)
    base: Manifest | None = None
    sound: list[SegmentEntry] = field(default_factory=list)
    log: LogState | None = None
    quarantine: list[str] = field(default_factory=list)

    def has(self, gravity: Gravity) -> bool:
        """Whether a finding is so grave."""
        return any(finding.gravity is gravity for finding in self.findings)

    @property
    def is_sound(self) -> bool:
        """Whether the collection opens with all its rows, versions and tags."""
        return not self.has(Gravity.LOSS) and not self.has(Gravity.FATAL)

    @property
    def lacks_a_manifest(self) -> bool:
        """Whether there is a version of which it is not known which files it names."""
        unreadable = {Kind.DAMAGED_NEWEST_MANIFEST, Kind.DAMAGED_OLDER_VERSION}
        return any(finding.kind in unreadable for finding in self.findings)

    def add(self, kind: Kind, gravity: Gravity, path: str, what: str, remedy: str) -> None:
        """Note a finding that is about no rows."""
        self.findings.append(Finding(kind=kind, gravity=gravity, path=path, what=what, remedy=remedy))


def diagnose(storage: Storage, database: Storage) -> Diagnosis:
    """Read everything of a collection, and say what is wrong.

    Parameters
    ----------
    storage, database : Storage
        Of the collection, and of the root that holds it.

    Raises
    ------
    NotFoundError
        There is nothing of a collection.
    StorageError
        The system below fails: no statement about the files is possible.

    Notes
    -----
    Beside a running writer, files that it is about to name or to delete may be found as well.
    """
    found = Diagnosis()
    versions = list_versions(storage)
    _find_base(storage, versions, found)
    if found.base is not None:
        _examine_base(storage, found)
        kept = _examine_older(storage, [number for number in versions if number < found.base.version], found)
        _examine_tags(storage, found)
        _find_strangers(storage, [*kept, found.base], found)
    _find_unfinished(storage, found)
    for name in database.list_children():
        if name.startswith(_TEMPORARY):
            what = "a collection was being dropped when the process died"
            remedy = "a repair finishes the removal; nothing reads it"
            found.add(Kind.DROPPED_COLLECTION, Gravity.LEFTOVER, name, what, remedy)
    return found


def _find_base(storage: Storage, versions: list[int], found: Diagnosis) -> None:
    for version in reversed(versions):
        path = manifest_path(version)
        try:
            found.base = read_manifest(storage, version)
        except UnsupportedFormatError as error:
            found.add(Kind.NEWER_RELEASE, Gravity.FATAL, path, str(error), "upgrade drift_arrow; nothing is damaged")
            return
        except CorruptionError as error:
            what = f"the newest state of the collection cannot be read: {error}"
            remedy = or_give_up("what it says, and go on with the version before it and what the log has after both")
            finding = Finding(
                kind=Kind.DAMAGED_NEWEST_MANIFEST,
                gravity=Gravity.LOSS,
                path=path,
                what=what,
                remedy=remedy,
                rows_lost=None,
            )
            found.findings.append(finding)
            found.quarantine.append(path)
        else:
            return
    files = [file for name in (SEGMENT_DIRECTORY, WAL_DIRECTORY) for file in storage.list_files(name)]
    if not versions and not files:
        message = f"no collection here, and nothing of one; path={storage.uri!r}"
        raise NotFoundError(message)
    what = f"no manifest can be read, so {len(files)} files of segments and logs belong to nothing"
    found.add(
        Kind.NO_MANIFEST, Gravity.FATAL, MANIFEST_DIRECTORY, what, "restore the directory manifests from a backup"
    )


def _examine_base(storage: Storage, found: Diagnosis) -> None:
    base = found.base
    assert base is not None
    spec = CollectionSpec.from_manifest(base)
    for entry in base.segments:
        result = examine_segment(storage, entry, spec)
        if isinstance(result, Finding):
            found.findings.append(result)
            found.quarantine.append(result.path)
        else:
            found.sound.append(entry)
    found.log = examine_log(storage, base, is_newest=not found.lacks_a_manifest)
    found.findings += found.log.findings
    if len(found.sound) < len(base.segments):
        # the version after it has what is whole of its rows
        found.quarantine.append(manifest_path(base.version))


def _examine_older(storage: Storage, versions: list[int], found: Diagnosis) -> list[Manifest]:
    """Older versions that can be read whole; files that they share with the newest one were read."""
    assert found.base is not None
    known = set(named_files(found.base))
    kept = []
    for version in versions:
        path = manifest_path(version)
        try:
            manifest = read_manifest(storage, version)
            bad = [path for entry in manifest.segments for path in _damaged(storage, entry, manifest, known, found)]
            found.quarantine += [path for path in bad if path not in found.quarantine]
            problem = f"{bad[0]} is missing or damaged" if bad else None
        except NotFoundError:
            # deleted by a writer since it was listed
            continue
        except (CorruptionError, UnsupportedFormatError) as error:
            problem = str(error)
        if problem is None:
            kept.append(manifest)
            continue
        what = f"version {version}, which is kept for time travel, cannot be read: {problem}"
        remedy = or_give_up("this version, but no row of the newest one")
        found.add(Kind.DAMAGED_OLDER_VERSION, Gravity.LOSS, path, what, remedy)
        found.quarantine.append(path)
    return kept


def _damaged(storage: Storage, entry: SegmentEntry, manifest: Manifest, known: set[str], found: Diagnosis) -> list[str]:
    """The damaged file of a segment and its tombstones, if there is one."""
    named = files_of(entry)
    damaged = [path for path in named if path in found.quarantine]
    if damaged or known.issuperset(named):
        return damaged
    result = examine_segment(storage, entry, CollectionSpec.from_manifest(manifest))
    return [result.path] if isinstance(result, Finding) else []


def _examine_tags(storage: Storage, found: Diagnosis) -> None:
    assert found.base is not None
    for file in storage.list_files(TAG_DIRECTORY):
        try:
            tag = read_tag(storage, file.path)
            read_tagged(storage, tag, found.base.collection_uuid)
            if manifest_path(tag.version) not in found.quarantine:
                continue
            problem = f"version {tag.version} is damaged"
        except (CorruptionError, NotFoundError, UnsupportedFormatError, InvalidArgumentError) as error:
            problem = str(error)
        what = f"the tag keeps nothing, and no garbage is collected while it is there: {problem}"
        found.add(Kind.DAMAGED_TAG, Gravity.LOSS, file.path, what, or_give_up("a name, but no row"))
        found.quarantine.append(file.path)


def _find_strangers(storage: Storage, manifests: list[Manifest], found: Diagnosis) -> None:
    # of a segment that is given up, what is sound of it is moved away too, unless an older version has use for it
    whole = {path for entry in found.sound for path in files_of(entry)}
    older = {path for manifest in manifests[:-1] for path in named_files(manifest)}
    given_up = [path for path in named_files(manifests[-1]) if path not in whole | older]
    found.quarantine += [path for path in given_up if path not in found.quarantine]
    named = whole | older | set(found.quarantine)
    for directory in (SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY):
        for file in storage.list_files(directory):
            if file.path not in named:
                (_add_unnamed if is_ours(file.path) else _add_unknown)(found, file.path)
    floor = manifests[-1].wal_floor
    for file in storage.list_files(WAL_DIRECTORY):
        parsed = parse_wal_path(file.path)
        if parsed is None:
            _add_unknown(found, file.path)
        elif parsed[1] < floor:
            _add_unnamed(found, file.path)
    paths = {manifest_path(number) for number in list_versions(storage)}
    for file in storage.list_files(MANIFEST_DIRECTORY):
        if file.path not in paths:
            _add_unknown(found, file.path)


def _add_unnamed(found: Diagnosis, path: str) -> None:
    if found.lacks_a_manifest:
        what = "no version that can be read names it; one that cannot be read may"
        found.add(Kind.UNNAMED_FILE, Gravity.NOTE, path, what, "it goes into quarantine with that one, or stays")
        found.quarantine.append(path)
        return
    what = "no version names it: a crash came before its version was committed, or before it was deleted"
    found.add(Kind.UNNAMED_FILE, Gravity.LEFTOVER, path, what, "a repair deletes it, and so does the next writer")


def _add_unknown(found: Diagnosis, path: str) -> None:
    what = "its name is none that a collection gives"
    found.add(Kind.UNKNOWN_FILE, Gravity.NOTE, path, what, "move it elsewhere if it is yours; nothing reads it")


def _find_unfinished(storage: Storage, found: Diagnosis) -> None:
    """Files of which a crash left a part under a temporary name, which storages do not list."""
    if "://" in storage.uri:
        return
    root = Path(storage.uri)
    for path in sorted(root.glob(f"*/{_TEMPORARY}*")):
        what = f"a process died while it wrote these {path.lstat().st_size:,} bytes, which nothing named yet"
        remedy = "a repair deletes it, and so does the next writer"
        name = path.relative_to(root).as_posix()
        found.add(Kind.UNFINISHED_FILE, Gravity.LEFTOVER, name, what, remedy)
