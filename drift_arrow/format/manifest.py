"""The committed state of a collection <-> one line of digest and one line of canonical JSON."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import pyarrow as pa

from drift_arrow.format.calibration import Calibration, calibration_from
from drift_arrow.format.canonical_json import Fields, dump_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.layout import FORMAT_VERSION, MANIFEST_KIND, MAX_MANIFEST_BYTES, MAX_SEGMENT_ROWS, Buffer
from drift_arrow.format.schema import decode_schema, encode_schema, is_vector_type
from drift_arrow.format.sealed_json import seal, unseal

_DIGEST: Final = "[0-9a-f]{32}"
_UUID: Final = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_SEGMENT_PATH: Final = r"segments/[0-9a-f-]{36}\.drift"
_TOMBSTONE_PATH: Final = r"tombstones/[0-9a-f-]{36}\.bits"
_FILE_KEYS: Final = ("path", "size_bytes", "digest")
_SEGMENT_KEYS: Final = (*_FILE_KEYS, "n_rows", "n_live", "seqno_range", "tombstones")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One immutable file that a manifest names.

    Parameters
    ----------
    path : str
        Relative to the collection, e.g. ``tombstones/<uuid>.bits``.
    size_bytes : int
    digest : str
        xxh3-128 of the whole file, 32 hexadecimal digits.
    """

    path: str
    size_bytes: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEntry:
    """One live segment.

    Parameters
    ----------
    path, size_bytes, digest
        As in `FileEntry`; the path is ``segments/<uuid>.drift``.
    n_rows, n_live : int
        Rows in the file, and those that are not deleted.
    seqno_range : (int, int)
        Smallest and largest seqno of its rows.
    tombstones : FileEntry or None
        Bitmap of the live rows; None when all are live.
    """

    path: str
    size_bytes: int
    digest: str
    n_rows: int
    n_live: int
    seqno_range: tuple[int, int]
    tombstones: FileEntry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One version of a collection: everything that is needed to open it, but for the WAL.

    Parameters
    ----------
    version : int
        The number in its file name.
    parent_digest : str
        `digest` of the version before; empty for the first.
    txn : str
        32 hexadecimal digits, new for every commit, by which a writer recognises its own.
    created_ns : int
        Wall clock, nanoseconds since 1970 UTC.
    collection_uuid : UUID
    schema : pa.Schema
        Of all columns, the vector included.
    vector, key, metric : str
        Names of the two special columns, and ``l2``, ``cosine`` or ``dot``.
    options : dict
        Settings by name: str, int, float, bool or None.
    key_seed : int
        Seed of the key fingerprints, 0 up to 2**64 - 1.
    writer_epoch : int
        Counts the writers that opened the collection.
    segments : tuple of SegmentEntry
    wal_floor : int
        WAL files with a smaller number are not needed any more.
    last_seqno : int
        Everything up to this seqno is in the segments.
    calibration : Calibration or None
        How far to probe the segments; None if no state of them was worth a calibration.
    """

    version: int
    parent_digest: str
    txn: str
    created_ns: int
    collection_uuid: UUID
    schema: pa.Schema
    vector: str
    key: str
    metric: str
    options: dict[str, Any]
    key_seed: int
    writer_epoch: int
    segments: tuple[SegmentEntry, ...]
    wal_floor: int
    last_seqno: int
    calibration: Calibration | None

    @property
    def digest(self) -> str:
        """xxh3-128 of the JSON line: the first line of the file."""
        return xxh3_128(self._json())

    def encode(self) -> bytes:
        """The bytes of the manifest file.

        Raises
        ------
        LimitExceededError
            They are more than 8 MiB: the collection has too many segments.
        """
        body = self._json()
        return seal(body, MAX_MANIFEST_BYTES, what="manifest", remedy="merge segments")

    def _json(self) -> bytes:
        plain = (
            "version",
            "parent_digest",
            "txn",
            "vector",
            "key",
            "metric",
            "options",
            "writer_epoch",
            "collection_uuid",
        )
        return dump_json(
            {name: getattr(self, name) for name in (*plain, "wal_floor", "last_seqno")}
            | {
                "kind": MANIFEST_KIND,
                "format_version": FORMAT_VERSION,
                "created_ns": str(self.created_ns),
                "collection_uuid": str(self.collection_uuid),
                "schema": base64.b64encode(encode_schema(self.schema)).decode("ascii"),
                "key_seed": str(self.key_seed),
                "segments": [_segment_to_dict(segment) for segment in self.segments],
                "calibration": self.calibration and self.calibration.to_dict(),
            }
        )


def decode_manifest(data: Buffer, path: str) -> Manifest:
    """Read the bytes of a manifest file.

    Raises
    ------
    CorruptionError
        They are too many, fail their digest, or say something that no writer says.
    UnsupportedFormatError
        A newer version wrote them.
    """
    fields = unseal(data, MAX_MANIFEST_BYTES, what="manifest", kind=MANIFEST_KIND, path=path)
    return _manifest_from(fields)


def _manifest_from(fields: Fields) -> Manifest:
    fields.only(*Manifest.__dataclass_fields__, "kind", "format_version")
    schema = decode_schema(fields.base64("schema"), path=fields.path, offset=fields.offset)
    vector = _column(fields, "vector", schema)
    if not is_vector_type(schema.field(vector).type):
        raise fields.error("names a vector column of another type")
    segments = tuple(_segment_from(entry) for entry in fields.objects("segments"))
    if len({segment.path for segment in segments}) != len(segments):
        raise fields.error("names a segment twice")
    return Manifest(
        version=fields.integer("version"),
        parent_digest=fields.text("parent_digest", f"({_DIGEST})?"),
        txn=fields.text("txn", _DIGEST),
        created_ns=fields.long_integer("created_ns"),
        collection_uuid=UUID(fields.text("collection_uuid", _UUID)),
        schema=schema,
        vector=vector,
        key=_column(fields, "key", schema),
        metric=fields.text("metric", "l2|cosine|dot"),
        options=_options(fields),
        key_seed=fields.long_integer("key_seed"),
        writer_epoch=fields.integer("writer_epoch"),
        segments=segments,
        wal_floor=fields.integer("wal_floor"),
        last_seqno=fields.integer("last_seqno"),
        calibration=None if fields.get("calibration") is None else calibration_from(fields.object("calibration")),
    )


def _options(fields: Fields) -> dict[str, Any]:
    options = dict(fields.object("options").value)
    if any(isinstance(value, list | dict) for value in options.values()):
        raise fields.error("needs plain values; key='options'")
    return options


def _column(fields: Fields, key: str, schema: pa.Schema) -> str:
    name = fields.text(key)
    if schema.get_field_index(name) < 0:
        raise fields.error(f"names a column that is not in the schema; key={key!r}")
    return name


def _segment_to_dict(segment: SegmentEntry) -> dict[str, object]:
    entry: dict[str, object] = {key: getattr(segment, key) for key in _SEGMENT_KEYS}
    tombstones = segment.tombstones
    return entry | {"tombstones": tombstones and {key: getattr(tombstones, key) for key in _FILE_KEYS}}


def _segment_from(fields: Fields) -> SegmentEntry:
    fields.only(*_SEGMENT_KEYS)
    n_rows = fields.integer("n_rows", 1, MAX_SEGMENT_ROWS)
    return SegmentEntry(
        path=fields.text("path", _SEGMENT_PATH),
        size_bytes=fields.integer("size_bytes", 1),
        digest=fields.text("digest", _DIGEST),
        n_rows=n_rows,
        n_live=fields.integer("n_live", 0, n_rows),
        seqno_range=fields.pair("seqno_range"),
        tombstones=None if fields.get("tombstones") is None else _tombstones_from(fields.object("tombstones")),
    )


def _tombstones_from(fields: Fields) -> FileEntry:
    fields.only(*_FILE_KEYS)
    return FileEntry(
        path=fields.text("path", _TOMBSTONE_PATH),
        size_bytes=fields.integer("size_bytes", 1),
        digest=fields.text("digest", _DIGEST),
    )
