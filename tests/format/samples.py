"""Small inputs for the tests of the format floor: Arrow arrays of every type, segments, logs and manifests."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.calibration import Calibration, Curve
from drift_arrow.format.contract_file import ContractFile
from drift_arrow.format.manifest import FileEntry, Manifest, SegmentEntry
from drift_arrow.format.segment_content import SegmentContent
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_sink import SegmentSummary
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.segment_writer import write_segment
from drift_arrow.format.statistics_file import Measurement, StatisticsFile
from drift_arrow.format.wal_record import RecordType, WalHeader, encode_operation

UUID_1 = "11111111-2222-4333-8444-555555555555"
UUID_2 = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
SALT = bytes(range(16))
DAMAGE = (CorruptionError, UnsupportedFormatError)

_TEXT = ["a", "", "longer than the twelve bytes of a view", "é𝄞", None, "z"]
_NESTED_TEXT = [[text] if text else None for text in _TEXT]
_DAY = dt.date(2024, 2, 29)
_OFFSETS = pa.array([0, 1, 2, 3, 4, 5, 6], pa.int32())


def _dictionary(values, index=None, *, ordered=False):
    indices = pa.array([0, 1, None, 0, 2, 1], index or pa.int32())
    return pa.DictionaryArray.from_arrays(indices, values, ordered=ordered)


def _extension(kind, storage):
    return pa.ExtensionArray.from_storage(kind, storage)


def arrays() -> dict[str, pa.Array]:
    """Six rows, nulls among them where the type allows, of every Arrow type that a column may have."""
    text = pa.array(_TEXT)
    view = pa.array(_TEXT, pa.string_view())
    numbers = pa.array([1, None, 3, 4, 5, 6], pa.int64())
    codes = pa.array([0, 1, 0, 1, 0, 1], pa.int8())
    halves = pa.array([0, 0, 1, 1, 2, 2], pa.int32())
    found = {
        str(kind): pa.array([0, 1, None, 100, 5, 6], kind)
        for kind in (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
    }
    found |= {
        str(kind): pa.array([-0.0, np.inf, None, 1.5, 5e-8, -2], kind)
        for kind in (pa.float16(), pa.float32(), pa.float64())
    }
    found |= {
        f"decimal{bits}": pa.array([Decimal("1.50"), None, Decimal("-9.99")] * 2, kind)
        for bits, kind in {
            32: pa.decimal32(4, 2),
            64: pa.decimal64(12, 2),
            128: pa.decimal128(30, 2),
            256: pa.decimal256(60, 2),
        }.items()
    }
    for unit in ("s", "ms", "us", "ns"):
        found[f"timestamp {unit}"] = pa.array([1, None, -3, 4, 5, 6], pa.timestamp(unit, "Europe/Paris"))
        found[f"duration {unit}"] = pa.array([1, None, -3, 4, 5, 6], pa.duration(unit))
    return found | {
        "null": pa.nulls(6),
        "bool": pa.array([True, None, False, True, False, True]),
        "string": text,
        "large_string": pa.array(_TEXT, pa.large_string()),
        "string_view": view,
        "binary": pa.array([b"\0\xff", b"", None, b"x", b"y", b"z"]),
        "large_binary": pa.array([b"\0\xff", b"", None, b"x", b"y", b"z"], pa.large_binary()),
        "binary_view": pa.array([b"\0\xff" * 20, b"", None, b"x", b"y", b"z"], pa.binary_view()),
        "fixed_size_binary": pa.array([b"abc", None, b"\0\0\0"] * 2, pa.binary(3)),
        "date32": pa.array([_DAY, None] * 3, pa.date32()),
        "date64": pa.array([_DAY, None] * 3, pa.date64()),
        "time32": pa.array([1, None, 3, 4, 5, 6], pa.time32("ms")),
        "time64": pa.array([1, None, 3, 4, 5, 6], pa.time64("ns")),
        "timestamp without zone": pa.array([1, None, 3, 4, 5, 6], pa.timestamp("us")),
        "interval": pa.array([(1, 2, 3), None, (-1, -2, -3)] * 2, pa.month_day_nano_interval()),
        "list": pa.array([[1, None], [], None, [2, 3], [4], [5]]),
        "large_list": pa.array(_NESTED_TEXT, pa.large_list(pa.field("entry", pa.string(), metadata={"k": "v"}))),
        "list of views": pa.array(_NESTED_TEXT, pa.list_(pa.string_view())),
        "list_view": pa.array([[1], [], None, [2, 3], [4], [5]], pa.list_view(pa.int32())),
        "large_list_view": pa.array(_NESTED_TEXT, pa.large_list_view(pa.string_view())),
        "fixed_size_list": pa.array([[1, 2], [3, None], None, [5, 6], [7, 8], [9, 0]], pa.list_(pa.int16(), 2)),
        "fixed_size_list of views": pa.array([["1", "2"], None, ["3", None]] * 2, pa.list_(pa.string_view(), 2)),
        "struct": pa.array([{"a": x, "b": 1} if x else None for x in _TEXT]),
        "struct of views": pa.array(
            [{"a": x, "b": 1} if x else None for x in _TEXT],
            pa.struct([pa.field("a", pa.string_view()), pa.field("b", pa.int8(), nullable=False)]),
        ),
        "struct without fields": pa.array([{}, None, {}, {}, {}, {}], pa.struct([])),
        "map": pa.array([[("k", x)] if x else None for x in _TEXT], pa.map_(pa.string(), pa.string())),
        "map of views": pa.array([[("k", x)] if x else [] for x in _TEXT], pa.map_(pa.string_view(), pa.string_view())),
        "deep": pa.array(
            [{"l": [{"s": x, "n": None}] * 2} for x in _TEXT],
            pa.struct([("l", pa.large_list(pa.struct([("s", pa.string_view()), ("n", pa.list_view(pa.int8()))])))]),
        ),
        "dictionary": _dictionary(pa.array(["x", "y", "unused or not", "unused"])),
        "dictionary of 8 bits": _dictionary(pa.array(["x", "y", "z"]), pa.int8()),
        "dictionary of views": _dictionary(pa.array(["x", "y", "z"], pa.string_view()), pa.uint32()),
        "dictionary of numbers": _dictionary(pa.array([1.5, 2.5, None]), pa.uint64()),
        "ordered dictionary": _dictionary(pa.array(["low", "mid", "high", "unused"]), ordered=True),
        "list of dictionary": pa.ListArray.from_arrays(_OFFSETS, _dictionary(pa.array(["x", "y", "z"]), pa.int16())),
        "run_end_encoded": pc.run_end_encode(pa.array([1, 1, 2, 2, None, 3]), run_end_type=pa.int16()),
        "run_end_encoded views": pa.RunEndEncodedArray.from_arrays(
            pa.array([2, 5, 6], pa.int32()), pa.array(["q", None, "r"], pa.string_view())
        ),
        "list of run_end_encoded": pa.ListArray.from_arrays(
            _OFFSETS, pc.run_end_encode(pa.array([1, 1, 2, 2, None, 3]))
        ),
        "sparse union": pa.UnionArray.from_sparse(codes, [numbers, text]),
        "dense union": pa.UnionArray.from_dense(codes, halves, [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]),
        "uuid": _extension(pa.uuid(), pa.array([b"0" * 16, None, b"1" * 16] * 2, pa.binary(16))),
        "json": _extension(pa.json_(), pa.array(['{"a":1}', None, "2"] * 2)),
        "bool8": _extension(pa.bool8(), pa.array([1, None, 0] * 2, pa.int8())),
        "fixed_shape_tensor": _extension(
            pa.fixed_shape_tensor(pa.int32(), [2]), pa.array([[1, 2], None, [3, 4]] * 2, pa.list_(pa.int32(), 2))
        ),
        "opaque views": _extension(pa.opaque(pa.string_view(), "type", "vendor"), view),
    }


def same(left, right) -> bool:
    """Whether two arrays or columns have the same type and values; NaN equals NaN, -0.0 differs from 0.0."""
    return bool(left.type == right.type) and [repr(x) for x in left.to_pylist()] == [repr(x) for x in right.to_pylist()]


def segment_content(
    n_rows=40, dim=3, n_buckets=4, dtype=np.float32, columns=None, seed=7, **replaced
) -> SegmentContent:
    """Rows with random vectors; keys count up. The vector column is the second of the schema."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(n_rows, dim)).astype(dtype)
    sizes = random.multinomial(n_rows, np.ones(n_buckets) / n_buckets)
    payload = {"id": pa.array(np.arange(n_rows))} | (columns or {})
    table = pa.table(payload)
    item = pa.field("item", pa.from_numpy_dtype(dtype))
    vector = pa.field("embedding", pa.list_(item, dim), nullable=False, metadata={"model": "m"})
    fingerprints = np.zeros((n_rows, 2), dtype=np.uint64)
    fingerprints[:, 0] = random.permutation(n_rows) * 3
    rows: dict[str, Any] = {
        "table": table,
        "vectors": vectors,
        "offsets": np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        "centroids": random.normal(size=(n_buckets, dim)).astype(np.float32),
        "codes": random.integers(0, 256, size=(n_rows, dim), dtype=np.uint8),
        "lo": random.normal(size=(n_buckets, dim)).astype(np.float32),
        "step": random.random(size=(n_buckets, dim)).astype(np.float32),
        "norms": (vectors.astype(np.float32) ** 2).sum(axis=1),
        "fingerprints": fingerprints,
    }
    spec: dict[str, Any] = {
        "schema": table.schema.insert(1, vector).with_metadata({"owner": "tests"}),
        "vector": "embedding",
        "key": "id",
        "metric": "l2",
        "seqno_range": (3, 9),
        "profile": "hot",
        "uuid": UUID_1,
    }
    for name, value in replaced.items():
        (rows if name in rows else spec)[name] = value
    return SegmentContent(spec=SegmentSpec(**spec), rows=SegmentExtent(**rows))


def segment_bytes(content: SegmentContent) -> tuple[bytes, SegmentSummary]:
    """The file that a writer makes of `content`."""
    data = bytearray()
    summary = write_segment(data.extend, content)
    return bytes(data), summary


def wal_header(**replaced) -> WalHeader:
    fields: dict[str, Any] = {
        "collection_uuid": UUID(UUID_1),
        "number": 2,
        "writer_epoch": 3,
        "first_seqno": 10,
        "salt": SALT,
    }
    return WalHeader(**(fields | replaced))


def wal_bytes(payloads, *, closed=False, header=None) -> bytes:
    """A WAL of one ADD per payload, each synced before the next is written."""
    header = header or wal_header()
    data, seqno = bytearray(header.encode()), header.first_seqno
    operations = [(RecordType.ADD, payload) for payload in payloads] + ([(RecordType.CLOSE, b"")] if closed else [])
    for kind, payload in operations:
        buffers, seqno = encode_operation(header.salt, seqno, len(data), kind, payload)
        for buffer in buffers:
            data += byte_view(buffer)
    return bytes(data)


def calibration(**replaced) -> Calibration:
    curves = (
        Curve(k=1, shares=(0.0, 0.25), scanned=(0.125, 1.0)),
        Curve(k=10, shares=(0.1, 1.0), scanned=(0.2, 0.3)),
    )
    fields: dict[str, Any] = {
        "n_rows": 40,
        "n_buckets": 6,
        "spread": 0.5,
        "effective_dim": 8.0,
        "recalls": (0.9, 0.95),
        "curves": curves,
    }
    return Calibration(**(fields | replaced))


def manifest(**replaced) -> Manifest:
    schema = pa.schema(
        [pa.field("id", pa.int64(), nullable=False), pa.field("embedding", pa.list_(pa.float32(), 4))],
        metadata={"owner": "tests"},
    )
    tombstones = FileEntry(path=f"tombstones/{UUID_2}.bits", size_bytes=8192, digest="1" * 32)
    segment = SegmentEntry(
        path=f"segments/{UUID_1}.drift",
        size_bytes=50_000,
        digest="0123456789abcdef" * 2,
        n_rows=40,
        n_live=30,
        seqno_range=(3, 9),
        tombstones=tombstones,
    )
    fields: dict[str, Any] = {
        "version": 7,
        "parent_digest": "f" * 32,
        "txn": "0" * 31 + "1",
        "created_ns": 1_700_000_000_123_456_789,
        "collection_uuid": UUID(UUID_1),
        "schema": schema,
        "vector": "embedding",
        "key": "id",
        "metric": "cosine",
        "options": {"refine": 4, "label": "x", "ratio": 0.1, "flag": True, "none": None},
        "key_seed": 2**64 - 1,
        "writer_epoch": 2,
        "segments": (segment,),
        "wal_floor": 5,
        "last_seqno": 9,
        "calibration": calibration(),
    }
    return Manifest(**(fields | replaced))


def statistics(**replaced) -> StatisticsFile:
    measurement = Measurement(
        version=7,
        taken_ns=1_700_000_000_123_456_789,
        k=10,
        target=0.95,
        recall=0.9375,
        low=0.9,
        high=1.0,
        scanned=0.0,
        n_queries=256,
        source="queries",
    )
    fields: dict[str, Any] = {
        "collection_uuid": UUID_1,
        "written_ns": 1_700_000_000_123_456_789,
        "heat": {UUID_2: np.array([0, 0.5, 3e38], np.float32), UUID_1: np.empty(0, np.float32)},
        "measurements": (measurement, measurement),
    }
    return StatisticsFile(**(fields | replaced))


def contract(**replaced) -> ContractFile:
    fields: dict[str, Any] = {
        "collection_uuid": UUID_1,
        "model": "encoder é",
        "norm_mean": 1.0,
        "norm_deviation": 0.0,
        "canary_keys": ("7", "8"),
        "canary_vectors": np.array([[1, 0, 0], [0, -0.5, 2]], np.float32),
    }
    return ContractFile(**(fields | replaced))


def flipped(data: bytes, position: int, mask: int | None = None) -> bytes:
    """`data` with one byte changed: one bit that varies with the position, or all bits of `mask`."""
    changed = bytearray(data)
    changed[position] ^= mask or 1 << (position * 5 % 8)
    return bytes(changed)


def outcome(read, *arguments):
    """What `read` returns, and None; or None, and the error of damage that it raises. Other errors pass through."""
    try:
        return read(*arguments), None
    except DAMAGE as error:
        return None, error


class CountingSource:
    """A store with one file, which remembers what it was asked for."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size_bytes = len(data)
        self.requests: list[list[tuple[int, int]]] = []
        self.error: Exception | None = None

    def read_ranges(self, ranges):
        if self.error is not None:
            raise self.error
        self.requests.append(list(ranges))
        return [self.data[offset : offset + length] for offset, length in ranges]
