"""One segment of a version against the manifest, its keys against its filter, and its tombstones against its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.recovery import read_tombstones
from drift_arrow.errors import CorruptionError
from drift_arrow.format.checksum import check_xxh3_128
from drift_arrow.format.layout import BlockType
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import SegmentView
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.manifest import SegmentEntry
    from drift_arrow.format.segment_reader import SegmentReader


def verify_segment(storage: Storage, entry: SegmentEntry, reader: SegmentReader, spec: CollectionSpec) -> None:
    """Read every byte of a segment, decode every value, and compare what is said twice.

    Raises
    ------
    CorruptionError
        A checksum does not match; or rows, columns or seqnos are not those of the manifest; or the fingerprints are not
        those of the keys, strictly ascending; or the Bloom filter does not know a key, which would hide its row.
    """
    reader.verify()
    check_xxh3_128(storage.map(entry.path), entry.digest, what="segment", path=entry.path, offset=0)
    said = (entry.n_rows, entry.seqno_range, spec.vector, spec.key, spec.metric)
    if said != (reader.n_rows, reader.seqno_range, reader.vector, reader.key, reader.metric):
        raise CorruptionError("the segment is not what the manifest says of it", path=entry.path, offset=0)
    if not reader.schema.equals(spec.schema):
        raise CorruptionError("the segment has other columns than its collection", path=entry.path, offset=0)
    _verify_keys(reader, entry.path, spec)


def verify_tombstones(storage: Storage, entry: SegmentEntry, reader: SegmentReader) -> NDArray[np.uint8] | None:
    """The live rows of a segment, None if all are; raises CorruptionError unless they are as many as the manifest says.

    Every byte of the tombstone file is read.
    """
    if entry.tombstones is None:
        live, n_live, path = None, reader.n_rows, entry.path
    else:
        live, path = read_tombstones(storage, entry.tombstones, reader), entry.tombstones.path
        n_live = bitmap.count(live, reader.n_rows)
    if n_live != entry.n_live:
        message = f"another number of rows is alive than the manifest says; expected={entry.n_live} got={n_live}"
        raise CorruptionError(message, path=path, offset=0)
    return live


def verify_keys_are_unique(views: Sequence[SegmentView]) -> None:
    """Raise CorruptionError if a key is alive in two segments; O(n log n) look-ups."""
    for number, view in enumerate(views):
        fingerprints, rows = view.reader.sorted_fingerprints, view.reader.key_order
        if view.live is not None:
            fingerprints = fingerprints[bitmap.test(view.live, rows.astype(np.int64))]
        for other in views[number + 1 :]:
            found = other.find(fingerprints)
            found = found[found >= 0]
            if len(found) and (other.live is None or bitmap.test(other.live, found).any()):
                message = f"a key is alive in two segments; other={view.entry.path!r}"
                raise CorruptionError(message, path=other.entry.path, offset=0)


def _verify_keys(reader: SegmentReader, path: str, spec: CollectionSpec) -> None:
    chunks = reader.read_columns([spec.key]).column(0).chunks
    if sum(chunk.null_count for chunk in chunks):
        raise _damaged(reader, path, BlockType.COLUMN, "a key is null")
    of_keys = np.concatenate([fingerprint_keys(chunk, spec) for chunk in chunks])
    known = reader.sorted_fingerprints
    if not np.array_equal(known, of_keys[reader.key_order]):
        raise _damaged(reader, path, BlockType.FINGERPRINTS, "fingerprints are not those of the keys")
    before, after = known[:-1], known[1:]
    ascends = (before[:, 0] < after[:, 0]) | ((before[:, 0] == after[:, 0]) & (before[:, 1] < after[:, 1]))
    if not ascends.all():
        raise _damaged(reader, path, BlockType.FINGERPRINTS, "fingerprints are not unique and ascending")
    if not reader.maybe_contains(of_keys).all():
        raise _damaged(reader, path, BlockType.BLOOM, "the Bloom filter does not know a key")


def _damaged(reader: SegmentReader, path: str, kind: BlockType, problem: str) -> CorruptionError:
    offset = next(block.offset for block in reader.blocks() if block.type is kind)
    return CorruptionError(problem, path=path, offset=offset)
