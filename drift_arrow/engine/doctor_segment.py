"""A segment that is missing or damaged: how far, and whose rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from drift_arrow.engine.doctor_finding import Finding, Gravity, Kind, or_give_up
from drift_arrow.engine.recovery import open_reader
from drift_arrow.engine.snapshot import SegmentView
from drift_arrow.engine.verify_segment import verify_segment, verify_tombstones
from drift_arrow.errors import CorruptionError, NotFoundError
from drift_arrow.format.bitmap_file import decode_bitmap
from drift_arrow.format.layout import BlockType
from drift_arrow.format.segment_columns import SegmentColumns
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.segment_vectors import SegmentVectors
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import SegmentEntry

MAX_KEYS: Final = 100
"""Keys of damaged rows that a finding names."""

_OF_ROWS: Final = (BlockType.CODES, BlockType.VECTORS, BlockType.COLUMN)


def examine_segment(storage: Storage, entry: SegmentEntry, spec: CollectionSpec) -> SegmentView | Finding:
    """A segment with its tombstones if both are sound, else what is wrong with them."""
    try:
        reader = open_reader(storage, entry)
        verify_segment(storage, entry, reader, spec)
    except NotFoundError:
        return _lost(entry, entry.path, "the segment is missing", entry.n_live)
    except CorruptionError as error:
        return _damaged_segment(storage, entry, spec, error)
    try:
        live = verify_tombstones(storage, entry, reader)
    except (CorruptionError, NotFoundError) as error:
        path = entry.tombstones.path if entry.tombstones is not None else entry.path
        what = f"which rows of {entry.path} were deleted is not known any more: {error}"
        return _lost(entry, path, what, None)
    return SegmentView(entry=entry, reader=reader, live=live, n_live=entry.n_live)


def _lost(entry: SegmentEntry, path: str, what: str, n_damaged: int | None, keys: tuple[Any, ...] = ()) -> Finding:
    return Finding(
        kind=Kind.DAMAGED_SEGMENT,
        gravity=Gravity.LOSS,
        path=path,
        what=what,
        remedy=or_give_up(f"{entry.n_live:,} rows"),
        rows_damaged=n_damaged,
        rows_lost=entry.n_live,
        keys=keys,
    )


def _damaged_segment(storage: Storage, entry: SegmentEntry, spec: CollectionSpec, error: CorruptionError) -> Finding:
    try:
        file = SegmentFile(storage.map(entry.path), entry.path)
        blocks = [number for number in range(len(file.index)) if not _is_sound(file, number)]
    except CorruptionError as unreadable:
        return _lost(entry, entry.path, f"the segment cannot be read at all: {unreadable}", entry.n_live)
    damaged = _live_rows(storage, entry, file) & _rows_of(file, blocks)
    names = sorted({_name(file, number) for number in blocks})
    where = f"in {', '.join(names)}" if names else "between its blocks"
    keys = _keys(file, np.flatnonzero(damaged)[:MAX_KEYS], spec.key)
    return _lost(entry, entry.path, f"bytes are damaged {where}: {error}", int(damaged.sum()), keys)


def _is_sound(file: SegmentFile, number: int) -> bool:
    try:
        file.blocks.read([number])
    except CorruptionError:
        return False
    return True


def _rows_of(file: SegmentFile, blocks: list[int]) -> NDArray[np.bool_]:
    """Rows in damaged blocks; of tables, which are about all rows, all."""
    rows = np.zeros(file.meta.n_rows, dtype=np.bool_)
    for number in blocks:
        entry = file.index.entries[number]
        if entry["type"] not in _OF_ROWS:
            return np.ones(file.meta.n_rows, dtype=np.bool_)
        first = int(entry["first_row"])
        rows[first : first + int(entry["n_values"])] = True
    return rows


def _live_rows(storage: Storage, entry: SegmentEntry, file: SegmentFile) -> NDArray[np.bool_]:
    every = np.ones(file.meta.n_rows, dtype=np.bool_)
    if entry.tombstones is None:
        return every
    try:
        live = decode_bitmap(storage.map(entry.tombstones.path), entry.tombstones.path, file.meta.n_rows, file.uuid)
    except (CorruptionError, NotFoundError):
        return every
    return bitmap.to_mask(live, file.meta.n_rows)


def _name(file: SegmentFile, number: int) -> str:
    entry = file.index.entries[number]
    kind, column = BlockType(int(entry["type"])), int(entry["column"])
    if kind is BlockType.COLUMN:
        return f"column {file.meta.schema.names[column]!r}"
    return kind.name.lower().replace("_", " ")


def _keys(file: SegmentFile, rows: NDArray[np.int64], key: str) -> tuple[Any, ...]:
    try:
        return tuple(SegmentColumns(file, SegmentVectors(file)).take(rows, [key]).column(0).to_pylist())
    except CorruptionError:
        # the keys are damaged as well
        return ()
