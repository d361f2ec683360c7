"""Open after a crash or a clean close: newest manifest, its segments, and the log behind them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import pyarrow as pa

from drift_arrow.engine.apply import apply_delete, apply_insert, with_room
from drift_arrow.engine.commit import manifest_path, read_newest
from drift_arrow.engine.ingest import make_batch
from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.segment_set import SegmentSet
from drift_arrow.engine.signs.observations import read_observations
from drift_arrow.engine.snapshot import SegmentView, Snapshot
from drift_arrow.engine.spec import CollectionSpec
from drift_arrow.engine.wal import WAL_DIRECTORY, parse_wal_path, wal_path
from drift_arrow.errors import CorruptionError, InvalidArgumentError
from drift_arrow.format.batch import decode_batch
from drift_arrow.format.bitmap_file import decode_bitmap
from drift_arrow.format.checksum import check_xxh3_128
from drift_arrow.format.layout import HEADER_BYTES
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.format.wal_record import Operation, RecordType, WalContents, scan_wal
from drift_arrow.options import Options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    import numpy as np
    from numpy.typing import NDArray

    from drift_arrow.engine.storage import FileInfo, Storage
    from drift_arrow.format.manifest import FileEntry, Manifest, SegmentEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A collection as its files say it is.

    Parameters
    ----------
    spec, options : CollectionSpec, Options
        From the manifest.
    snapshot : Snapshot
        With at least one memtable; the last one is active.
    writer_epoch : int
        Highest that was ever used.
    next_wal_number, next_seqno : int
        Where a writer goes on.
    is_clean : bool
        The last writer closed its log; if not, what was replayed must reach a segment before new writes are
        acknowledged.
    """

    spec: CollectionSpec
    options: Options
    snapshot: Snapshot
    writer_epoch: int
    next_wal_number: int
    next_seqno: int
    is_clean: bool


def recover(storage: Storage, known: Mapping[str, SegmentReader] = MappingProxyType({})) -> Recovered:
    """Read a collection; changes nothing.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    known : mapping of str to SegmentReader
        Segments that are open already, by path; they are immutable, so they are not read again.

    Raises
    ------
    NotFoundError
        There is no manifest, or a file that it names is missing.
    CorruptionError
        Path and offset of the first damage.
    UnsupportedFormatError
        A newer version wrote a file.

    Notes
    -----
    The newest manifest gives the segments; log files from its `wal_floor` on are replayed in the order of their
    numbers, which is the order of their seqnos: that no seqno is missing proves the log whole. Crashes leave files
    without a record behind, wherever the creation of a file or a recovery was cut off.
    """
    manifest = read_newest(storage)
    spec = CollectionSpec.from_manifest(manifest)
    options = read_options(manifest)
    observed = replace(
        open_version(storage, manifest, known), observations=read_observations(storage, manifest.collection_uuid)
    )
    snapshot = with_room(observed, 1, spec, options)
    files = log_files(storage, manifest)
    logs = [(path, scan_log(storage, path, manifest.collection_uuid)) for path in paths_to_replay(files)]
    next_seqno, is_clean = _check_sequence(logs, manifest.last_seqno + 1), True
    for path, contents in logs:
        if contents is None:
            continue
        for operation in contents.operations:
            snapshot = _replay(snapshot, operation, spec, options, path)
        is_clean = contents.is_closed
    return Recovered(
        spec=spec,
        options=options,
        snapshot=snapshot,
        writer_epoch=max([manifest.writer_epoch, *(_epoch(file.path) for _, file in files)]),
        next_wal_number=files[-1][0] + 1,
        next_seqno=next_seqno,
        is_clean=is_clean,
    )


def open_version(storage: Storage, manifest: Manifest, known: Mapping[str, SegmentReader]) -> Snapshot:
    """The rows of one version: its segments but for their tombstones, and no memtable; raises as `recover`."""
    segments = tuple(_open_segment(storage, entry, known) for entry in manifest.segments)
    return Snapshot(
        generation=0,
        seqno=manifest.last_seqno,
        manifest=manifest,
        segments=segments,
        memtables=(),
        segment_set=SegmentSet.of(tuple(view.reader for view in segments)),
    )


def read_options(manifest: Manifest) -> Options:
    """The settings that a manifest records; raises CorruptionError if this version does not know one."""
    try:
        return Options.from_dict(manifest.options)
    except InvalidArgumentError as error:
        message = f"the manifest has options that this version does not know: {error}"
        raise CorruptionError(message, path=manifest_path(manifest.version), offset=0) from error


def open_reader(storage: Storage, entry: SegmentEntry) -> SegmentReader:
    """A segment that the manifest names, checked against what it says of it."""
    return SegmentReader(storage.map(entry.path), entry.path, entry.size_bytes, entry.digest)


def read_tombstones(storage: Storage, entry: FileEntry, segment: SegmentReader) -> NDArray[np.uint8]:
    """The packed live rows of a segment."""
    data = storage.map(entry.path)
    check_xxh3_128(data, entry.digest, what="tombstone file", path=entry.path, offset=0)
    return decode_bitmap(data, entry.path, segment.n_rows, segment.uuid)


def log_files(storage: Storage, manifest: Manifest) -> list[tuple[int, FileInfo]]:
    """The log files behind a manifest with their numbers, which have no gaps; raises CorruptionError."""
    parsed = [(parse_wal_path(file.path), file) for file in storage.list_files(WAL_DIRECTORY)]
    files = sorted((names[1], file) for names, file in parsed if names is not None and names[1] >= manifest.wal_floor)
    for expected, (number, file) in enumerate(files, start=manifest.wal_floor):
        if number != expected:
            message = f"a log file is missing or doubled; expected_number={expected} got={number}"
            raise CorruptionError(message, path=file.path, offset=0)
    if not files:
        missing = wal_path(manifest.writer_epoch, manifest.wal_floor)
        message = "the log that the manifest builds on is missing"
        raise CorruptionError(message, path=missing, offset=0)
    return files


def paths_to_replay(files: list[tuple[int, FileInfo]]) -> list[str]:
    """All but the newest files without a record: crashes left those before anything built on them."""
    stops = [place for place, (_, file) in enumerate(files, start=1) if file.size_bytes > HEADER_BYTES]
    return [file.path for _, file in files[: max(stops, default=0)]]


def scan_log(storage: Storage, path: str, collection_uuid: UUID) -> WalContents | None:
    """What a log file of a collection holds, or None if a crash cut off its creation; raises CorruptionError."""
    data = storage.map(path)
    try:
        contents = scan_wal(data, path)
    except CorruptionError:
        # the header is synced before the first record is written
        if data.nbytes <= HEADER_BYTES:
            return None
        raise
    header = contents.header
    if header.collection_uuid != collection_uuid or (header.writer_epoch, header.number) != parse_wal_path(path):
        found = f"collection={header.collection_uuid} number={header.number}"
        message = f"the log is another one than its name says; {found}"
        raise CorruptionError(message, path=path, offset=0)
    return contents


def _open_segment(storage: Storage, entry: SegmentEntry, known: Mapping[str, SegmentReader]) -> SegmentView:
    reader = known.get(entry.path) or open_reader(storage, entry)
    live = None if entry.tombstones is None else read_tombstones(storage, entry.tombstones, reader)
    return SegmentView(entry=entry, reader=reader, live=live, n_live=entry.n_live)


def _check_sequence(logs: list[tuple[str, WalContents | None]], next_seqno: int) -> int:
    """The seqno behind the last log; raises CorruptionError unless each goes on where the one before it ended."""
    may_lack_close, suspect = False, None
    for path, contents in logs:
        if contents is None:
            suspect = path, 0
            continue
        first = contents.header.first_seqno
        # CLOSE is written behind synced records and before the next file, so a power loss can take it, and nothing else
        if first != next_seqno and not (may_lack_close and first == next_seqno + 1):
            message = f"the log lacks records before {path!r}; expected_seqno={next_seqno} got={first}"
            at_path, at_offset = suspect or (path, 0)
            raise CorruptionError(message, path=at_path, offset=at_offset)
        may_lack_close, next_seqno = not contents.is_closed, contents.last_seqno + 1
        suspect = (path, contents.valid_length) if may_lack_close else None
    return next_seqno


def _replay(snapshot: Snapshot, operation: Operation, spec: CollectionSpec, options: Options, path: str) -> Snapshot:
    if operation.type is RecordType.DELETE:
        schema = pa.schema([spec.schema.field(spec.key)])
        keys = _decode(operation, schema, path).column(0)
        return apply_delete(snapshot, fingerprint_keys(keys, spec), operation.seqno)[0]
    try:
        batch = make_batch(_decode(operation, spec.schema, path), spec)
    except InvalidArgumentError as error:
        message = f"a logged batch breaks the rules of its collection: {error}"
        raise CorruptionError(message, path=path, offset=0) from error
    active = snapshot.memtables[-1].memtable
    if active.free_rows < batch.n_rows:
        snapshot = with_room(snapshot, batch.n_rows, spec, options)
    return apply_insert(snapshot, batch, operation.seqno)


def _decode(operation: Operation, schema: pa.Schema, path: str) -> pa.RecordBatch:
    table = decode_batch(operation.payload, schema, path=path, offset=0)
    return table.combine_chunks().to_batches()[0]


def _epoch(path: str) -> int:
    parsed = parse_wal_path(path)
    return parsed[0] if parsed else 0
