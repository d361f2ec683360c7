"""Compare every byte of a collection with its checksum, and what is said in two places with each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from drift_arrow.engine.commit import MANIFEST_DIRECTORY, list_versions, manifest_path, read_manifest
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.recovery import log_files, open_reader, read_options, scan_log
from drift_arrow.engine.snapshot import SegmentView
from drift_arrow.engine.spec import CollectionSpec
from drift_arrow.engine.tags import TAG_DIRECTORY, list_tags, read_tagged, tag_path
from drift_arrow.engine.verify_segment import verify_keys_are_unique, verify_segment, verify_tombstones
from drift_arrow.engine.wal import WAL_DIRECTORY
from drift_arrow.errors import NotFoundError

if TYPE_CHECKING:
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import Manifest, SegmentEntry
    from drift_arrow.format.segment_reader import SegmentReader

_DIRECTORIES = (MANIFEST_DIRECTORY, SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY, WAL_DIRECTORY, TAG_DIRECTORY)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFile:
    """A file that was read whole and is sound.

    Parameters
    ----------
    path, kind : str
        Relative to the collection; ``manifest``, ``segment``, ``tombstones``, ``log`` or ``tag``.
    bytes : int
        Its size.
    rows, deleted_rows : int or None
        Of a segment in the newest version that names it; None of other files.
    """

    path: str
    kind: str
    bytes: int
    rows: int | None = None
    deleted_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """What a verification found sound; damage is an error, not a report.

    Parameters
    ----------
    version : int
        That was verified; of a collection, the newest one.
    files, bytes, rows : int
        Files of this version, its logs included, their bytes, and rows of its segments, dead ones included.
    deleted_rows : int
        Dead among `rows`.
    versions, tags : int
        Versions that were verified, older ones included, and tags.
    unexplained : tuple of str
        Files that no version names and that no recovery needs, which the next writer deletes if they are a
        collection's; beside a running writer also those that it is about to name.
    checked : tuple of CheckedFile
        Every file that was read.
    """

    version: int
    files: int
    bytes: int
    rows: int
    deleted_rows: int
    versions: int
    tags: int
    unexplained: tuple[str, ...]
    checked: tuple[CheckedFile, ...]

    def to_dict(self) -> dict[str, Any]:
        """All figures by name."""
        return {name: value for name, value in asdict(self).items() if name != "checked"}

    def to_polars(self) -> pl.DataFrame:
        """One row per file: path, kind, bytes, rows, deleted_rows, and state, `sound` or `unexplained`."""
        rows = [(*(getattr(file, name) for name in CheckedFile.__dataclass_fields__), "sound") for file in self.checked]
        rows += [(path, None, None, None, None, "unexplained") for path in self.unexplained]
        kinds = (pl.String(), pl.String(), pl.Int64(), pl.Int64(), pl.Int64(), pl.String())
        schema = dict(zip((*CheckedFile.__dataclass_fields__, "state"), kinds, strict=True))
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __repr__(self) -> str:
        return (
            f"<VerifyReport: version {self.version} is sound; {self.files} files, {self.bytes:,} bytes, "
            f"{self.rows:,} rows ({self.deleted_rows:,} deleted), {self.versions} versions, {self.tags} tags, "
            f"{len(self.unexplained)} unexplained files>"
        )


def verify_collection(storage: Storage, version: int) -> VerifyReport:
    """Check every byte of the newest version, of the logs behind it, of the older versions that are kept, and of tags.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    version : int
        The newest one.

    Raises
    ------
    CorruptionError
        Path and offset of the first damage.
    NotFoundError
        A named file is missing, or was deleted because a newer version does not name it.
    """
    storage = storage.original()
    walk = _Walk(storage)
    manifest = walk.verify_version(version)
    for _, file in log_files(storage, manifest):
        scan_log(storage, file.path, manifest.collection_uuid)
        walk.add(CheckedFile(path=file.path, kind="log", bytes=file.size_bytes))
    n_files = len(walk.checked)
    older = [number for number in list_versions(storage) if number < version]
    n_versions = 1 + sum(_verify_older(walk, number) for number in reversed(older))
    n_tags = _verify_tags(walk, manifest)
    return _report(walk, manifest, n_files, n_versions, n_tags, unexplained=walk.unexplained(version))


def verify_version(storage: Storage, version: int) -> VerifyReport:
    """Check every byte of one version, and nothing behind it; raises as `verify_collection`."""
    walk = _Walk(storage.original())
    manifest = walk.verify_version(version)
    return _report(walk, manifest, len(walk.checked), n_versions=1, n_tags=0, unexplained=())


class _Walk:
    """Files that were verified, each once, whatever number of versions names it."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.checked: dict[str, CheckedFile] = {}
        self._readers: dict[str, SegmentReader] = {}

    def add(self, file: CheckedFile) -> None:
        self.checked.setdefault(file.path, file)

    def verify_version(self, version: int) -> Manifest:
        manifest = read_manifest(self.storage, version)
        read_options(manifest)
        self.add(CheckedFile(path=manifest_path(version), kind="manifest", bytes=len(manifest.encode())))
        spec = CollectionSpec.from_manifest(manifest)
        views = []
        for entry in manifest.segments:
            reader = self._readers.get(entry.path)
            if reader is None:
                reader = self._readers[entry.path] = open_reader(self.storage, entry)
                verify_segment(self.storage, entry, reader, spec)
            live = verify_tombstones(self.storage, entry, reader)
            views.append(SegmentView(entry=entry, reader=reader, live=live, n_live=entry.n_live))
            self._add_segment(entry)
        verify_keys_are_unique(views)
        return manifest

    def _add_segment(self, entry: SegmentEntry) -> None:
        n_deleted, size = entry.n_rows - entry.n_live, entry.size_bytes
        self.add(CheckedFile(path=entry.path, kind="segment", bytes=size, rows=entry.n_rows, deleted_rows=n_deleted))
        if entry.tombstones is not None:
            self.add(CheckedFile(path=entry.tombstones.path, kind="tombstones", bytes=entry.tombstones.size_bytes))

    def unexplained(self, version: int) -> tuple[str, ...]:
        """Files that nothing names; a version or log that came after `version` was read explains itself."""
        later = {manifest_path(number) for number in list_versions(self.storage) if number > version}
        found = [file.path for directory in _DIRECTORIES for file in self.storage.list_files(directory)]
        return tuple(path for path in found if path not in self.checked and path not in later)


def _verify_older(walk: _Walk, version: int) -> bool:
    try:
        walk.verify_version(version)
    except NotFoundError:
        if version in list_versions(walk.storage):
            raise
        # collected meanwhile, as versions are
        return False
    return True


def _verify_tags(walk: _Walk, newest: Manifest) -> int:
    tags = list_tags(walk.storage)
    for tag in tags:
        try:
            read_tagged(walk.storage, tag, newest.collection_uuid)
        except NotFoundError:
            if tag in list_tags(walk.storage):
                raise
            continue
        walk.add(CheckedFile(path=tag_path(tag.name), kind="tag", bytes=len(tag.encode())))
    return len(tags)


def _report(
    walk: _Walk, manifest: Manifest, n_files: int, n_versions: int, n_tags: int, *, unexplained: tuple[str, ...]
) -> VerifyReport:
    files = tuple(walk.checked.values())
    return VerifyReport(
        version=manifest.version,
        files=n_files,
        bytes=sum(file.bytes for file in files[:n_files]),
        rows=sum(entry.n_rows for entry in manifest.segments),
        deleted_rows=sum(entry.n_rows - entry.n_live for entry in manifest.segments),
        versions=n_versions,
        tags=n_tags,
        unexplained=unexplained,
        checked=files,
    )
