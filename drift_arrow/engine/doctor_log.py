"""The log behind a manifest: what of it can be replayed, and what cannot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drift_arrow.engine.doctor_finding import Finding, Gravity, Kind, or_give_up
from drift_arrow.engine.recovery import paths_to_replay, scan_log
from drift_arrow.engine.wal import WAL_DIRECTORY, parse_wal_path, wal_path
from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.batch import decode_batch
from drift_arrow.format.layout import HEADER_BYTES
from drift_arrow.format.wal_record import RecordType, WalHeader, scan_wal

if TYPE_CHECKING:
    from drift_arrow.engine.storage import FileInfo, Storage
    from drift_arrow.format.manifest import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """What recovery can make of the log.

    Parameters
    ----------
    first : tuple of int or None
        Number of the first file, and seqno of its first record; None if there is no file that can be read.
    cut : (str, int) or None
        A file of which only so many bytes can be replayed.
    dropped : tuple of str
        Files behind the damage, which cannot be replayed at all.
    findings : tuple of Finding
    """

    first: tuple[int, int] | None
    cut: tuple[str, int] | None
    dropped: tuple[str, ...]
    findings: tuple[Finding, ...]


def examine_log(storage: Storage, manifest: Manifest, *, is_newest: bool) -> LogState:
    """Walk over the log files from the manifest's on, up to the first that cannot be replayed.

    `is_newest` is false if newer manifests are damaged: then the files before the first that exists went with them.
    """
    files = _files(storage, manifest)
    start = files[0][0] if files and not is_newest else manifest.wal_floor
    walk = _Walk(storage, manifest, next_seqno=None if start > manifest.wal_floor else manifest.last_seqno + 1)
    replayed = set(paths_to_replay(files))
    for place, (number, file) in enumerate(files):
        problem = "one before it is missing" if number != start + place else None
        if problem is None and file.path in replayed:
            problem = walk.visit(file, is_last=place == len(replayed) - 1)
        if problem is not None:
            dropped = tuple(later.path for _, later in files[place + (walk.cut is not None) :])
            return walk.state(_damage(file.path, problem, walk.cut, _behind(storage, manifest, dropped)), dropped)
    if not files:
        path = wal_path(manifest.writer_epoch, manifest.wal_floor)
        return walk.state(_damage(path, "the log is missing", None, ""), ())
    return walk.state(None, ())


class _Walk:
    def __init__(self, storage: Storage, manifest: Manifest, next_seqno: int | None) -> None:
        self._storage, self._manifest = storage, manifest
        self._next_seqno, self._may_lack_close = next_seqno, False
        self._first: tuple[int, int] | None = None
        self._notes: list[Finding] = []
        self.cut: tuple[str, int] | None = None

    def visit(self, file: FileInfo, *, is_last: bool) -> str | None:
        """Take one file; what is wrong with it, None if nothing is."""
        try:
            contents = scan_log(self._storage, file.path, self._manifest.collection_uuid)
        except CorruptionError as error:
            if error.offset > HEADER_BYTES and self._continues(file.path):
                self.cut = (file.path, error.offset)
            return str(error)
        parsed = parse_wal_path(file.path)
        assert parsed is not None
        if contents is None:
            # a crash cut its creation off; if anything is missing, the next file shows it
            return None
        first = contents.header.first_seqno
        if self._next_seqno is not None and first not in {self._next_seqno, self._next_seqno + self._may_lack_close}:
            return f"records are missing before it; expected_seqno={self._next_seqno} got={first}"
        self._first = self._first or (parsed[1], first)
        self._may_lack_close, self._next_seqno = not contents.is_closed, contents.last_seqno + 1
        if is_last and contents.valid_length < file.size_bytes:
            self._notes.append(_torn(file, contents.valid_length))
        return None

    def state(self, damage: Finding | None, dropped: tuple[str, ...]) -> LogState:
        findings = (*self._notes, *([damage] if damage else []))
        return LogState(first=self._first, cut=self.cut, dropped=dropped, findings=findings)

    def _continues(self, path: str) -> bool:
        """Whether a damaged file begins where the one before it ended."""
        parsed = parse_wal_path(path)
        header = WalHeader.decode(self._storage.map(path), path)
        wanted = self._next_seqno
        fits = wanted is None or header.first_seqno in {wanted, wanted + self._may_lack_close}
        if fits and parsed is not None:
            self._first = self._first or (parsed[1], header.first_seqno)
        return fits


def _files(storage: Storage, manifest: Manifest) -> list[tuple[int, FileInfo]]:
    parsed = [(parse_wal_path(file.path), file) for file in storage.list_files(WAL_DIRECTORY)]
    return sorted((names[1], file) for names, file in parsed if names is not None and names[1] >= manifest.wal_floor)


def _torn(file: FileInfo, valid_length: int) -> Finding:
    return Finding(
        kind=Kind.TORN_TAIL,
        gravity=Gravity.NOTE,
        path=file.path,
        what=f"the last {file.size_bytes - valid_length:,} bytes are of a write that was never acknowledged",
        remedy="none is needed: the next writer goes on in a new file",
    )


def _damage(path: str, problem: str, cut: tuple[str, int] | None, behind: str) -> Finding:
    kept = f"; up to byte {cut[1]:,} it can be replayed" if cut else ""
    return Finding(
        kind=Kind.DAMAGED_LOG,
        gravity=Gravity.LOSS,
        path=path,
        what=f"{problem}{kept}{behind}",
        remedy=or_give_up("the acknowledged writes from there on, deletions among them"),
        rows_lost=None,
    )


def _behind(storage: Storage, manifest: Manifest, dropped: tuple[str, ...]) -> str:
    """What is whole in the files behind the damage, and yet cannot be replayed."""
    counts = [_count(storage, manifest, name) for name in dropped]
    n_operations, n_rows = (sum(count[place] for count in counts) for place in (0, 1))
    return f"; {n_operations:,} operations with {n_rows:,} rows behind it cannot" if n_operations else ""


def _count(storage: Storage, manifest: Manifest, path: str) -> tuple[int, int]:
    """Operations in a log file, and rows in them; those that cannot be read are not counted."""
    try:
        operations = scan_wal(storage.map(path), path).operations
        written = [operation for operation in operations if operation.type is not RecordType.DELETE]
        rows = [decode_batch(op.payload, manifest.schema, path=path, offset=0).num_rows for op in written]
    except (CorruptionError, UnsupportedFormatError):
        return 0, 0
    return len(operations), sum(rows)
