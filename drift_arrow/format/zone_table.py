"""Zone maps <-> bytes: one entry of 40 bytes for each payload block of a segment, in the order of the block index."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.layout import ZONE_BOUND_BYTES
from drift_arrow.format.zone import Zone, bound_type

ZONE_DTYPE: Final = np.dtype(
    [
        ("null_count", "<u4"),
        ("flags", "u1"),
        ("min_len", "u1"),
        ("max_len", "u1"),
        ("zero", "u1"),
        ("minimum", "u1", (ZONE_BOUND_BYTES,)),
        ("maximum", "u1", (ZONE_BOUND_BYTES,)),
    ]
)
"""One entry."""

_HAS_MINIMUM: Final = 1
_HAS_MAXIMUM: Final = 2
_HAS_NAN: Final = 4
_LAST_BEFORE_SURROGATES: Final = 0xD7FF
_FIRST_BEHIND_SURROGATES: Final = 0xE000
_LAST_CHARACTER: Final = 0x10FFFF

ZoneEntry = tuple[int, int, int, int, int, bytes, bytes]


def measure_zone(rows: pa.Array) -> ZoneEntry:
    """The entry, for an array of ZONE_DTYPE, of rows in plain form."""
    rows = rows.dictionary_decode() if pt.is_dictionary(rows.type) else rows
    kind = bound_type(rows.type)
    if kind is None or rows.null_count == len(rows):
        return (rows.null_count, 0, 0, 0, 0, b"", b"")
    if pt.is_floating(kind):
        has_nan, minimum, maximum = _float_bounds(rows, kind)
    else:
        has_nan, (minimum, maximum) = False, _bounds(rows, kind)
    flags = _HAS_MINIMUM * (minimum is not None) + _HAS_MAXIMUM * (maximum is not None) + _HAS_NAN * has_nan
    minimum, maximum = minimum or b"", maximum or b""
    return (rows.null_count, flags, len(minimum), len(maximum), 0, minimum, maximum)


def zone_entries(entries: list[ZoneEntry]) -> NDArray[np.void]:
    """What `measure_zone` found in each block, as one array of ZONE_DTYPE."""
    array = np.zeros(len(entries), dtype=ZONE_DTYPE)
    for slot, (*counts, minimum, maximum) in zip(array, entries, strict=True):
        slot["null_count"], slot["flags"], slot["min_len"], slot["max_len"], slot["zero"] = counts
        slot["minimum"][: len(minimum)] = np.frombuffer(minimum, dtype=np.uint8)
        slot["maximum"][: len(maximum)] = np.frombuffer(maximum, dtype=np.uint8)
    return array


class ZoneTable:
    """The zone maps of a segment.

    Parameters
    ----------
    entries : (n,) ZONE_DTYPE
    n_values : (n,) int64
        Rows of each payload block.
    path, offset : str, int
        Location of the entries, for errors.

    Raises
    ------
    CorruptionError
        An entry is none that a writer writes.
    """

    def __init__(self, entries: NDArray[np.void], n_values: NDArray[np.int64], *, path: str, offset: int) -> None:
        self._entries, self._path, self._offset = entries, path, offset
        flags = entries["flags"]
        is_sound = (flags <= _HAS_MINIMUM + _HAS_MAXIMUM + _HAS_NAN) & (entries["null_count"] <= n_values)
        is_sound &= entries["zero"] == 0
        for name, lengths, flag in (("minimum", "min_len", _HAS_MINIMUM), ("maximum", "max_len", _HAS_MAXIMUM)):
            length = entries[lengths]
            is_spare = np.arange(ZONE_BOUND_BYTES) >= length[:, None]
            is_sound &= (length <= ZONE_BOUND_BYTES) & ~(entries[name] * is_spare).any(axis=1)
            is_sound &= ((flags & flag) != 0) | (length == 0)
        if not is_sound.all():
            raise self._damage(int(is_sound.argmin()))

    def zone(self, number: int, kind: pa.DataType) -> Zone:
        """The zone of payload block `number`, of a column of type `kind`.

        Raises
        ------
        CorruptionError
            The bounds are no values of the type, or the wrong way round.
        """
        entry = self._entries[number]
        flags, bound = int(entry["flags"]), bound_type(kind)
        raw = [
            bytes(entry[name][: entry[lengths]]) if flags & flag else None
            for name, lengths, flag in (("minimum", "min_len", _HAS_MINIMUM), ("maximum", "max_len", _HAS_MAXIMUM))
        ]
        try:
            minimum, maximum = (_scalar(value, bound) for value in raw)
        except (ValueError, UnicodeDecodeError) as err:
            raise self._damage(number) from err
        has_nan = bool(flags & _HAS_NAN)
        if (has_nan and (bound is None or not pt.is_floating(bound))) or _descend(minimum, maximum):
            raise self._damage(number)
        return Zone(null_count=int(entry["null_count"]), has_nan=has_nan, minimum=minimum, maximum=maximum)

    def _damage(self, number: int) -> CorruptionError:
        return CorruptionError(f"a zone map is impossible; entry={number}", path=self._path, offset=self._offset)


def _float_bounds(rows: pa.Array, kind: pa.DataType) -> tuple[bool, bytes | None, bytes | None]:
    values = rows.drop_null().to_numpy(zero_copy_only=False)
    is_nan = np.isnan(values)
    if is_nan.all():
        return True, None, None
    # a zero of either sign is bounded by both of them
    minimum, maximum = np.fmin.reduce(values), np.fmax.reduce(values)
    bounds = np.array([minimum or -0.0, maximum or 0.0], values.dtype)
    width = kind.bit_width // 8
    return bool(is_nan.any()), bounds.tobytes()[:width], bounds.tobytes()[width:]


def _bounds(rows: pa.Array, kind: pa.DataType) -> tuple[bytes | None, bytes | None]:
    found = pc.min_max(_ordered(rows))
    minimum, maximum = found["min"], found["max"]
    if pt.is_string(kind):
        return _cut_text(minimum.as_py()), _cut_text_up(maximum.as_py())
    if pt.is_binary(kind):
        return minimum.as_py()[:ZONE_BOUND_BYTES], _cut_up(maximum.as_py())
    pair = pa.array([minimum, maximum], type=minimum.type).buffers()[1].to_pybytes()
    width = minimum.type.bit_width // 8
    return pair[:width], pair[width : 2 * width]


def _ordered(rows: pa.Array) -> pa.Array:
    """`rows` as a type that Arrow can compare, with the same bytes."""
    kind = rows.type
    if pt.is_boolean(kind):
        return rows.cast(pa.uint8())
    if pt.is_duration(kind):
        return rows.cast(pa.int64())
    if pt.is_decimal32(kind) or pt.is_decimal64(kind):
        integers = pa.int32() if pt.is_decimal32(kind) else pa.int64()
        return pa.Array.from_buffers(integers, len(rows), rows.buffers(), offset=rows.offset)
    return rows


def _cut_text(text: str) -> bytes:
    """The longest start of `text` that fits into a bound."""
    return text.encode()[:ZONE_BOUND_BYTES].decode(errors="ignore").encode()


def _cut_text_up(text: str) -> bytes | None:
    """The text itself if it fits into a bound, else a short one above all that start as it does; None if none is."""
    if len(text.encode()) <= ZONE_BOUND_BYTES:
        return text.encode()
    start = _cut_text(text).decode()
    for length in range(len(start) - 1, -1, -1):
        code = ord(start[length])
        if code == _LAST_CHARACTER:
            continue
        following = _FIRST_BEHIND_SURROGATES if code == _LAST_BEFORE_SURROGATES else code + 1
        bound = (start[:length] + chr(following)).encode()
        if len(bound) <= ZONE_BOUND_BYTES:
            return bound
    return None


def _cut_up(value: bytes) -> bytes | None:
    """The bytes themselves if they fit into a bound, else short ones above all that start as they do."""
    if len(value) <= ZONE_BOUND_BYTES:
        return value
    start = value[:ZONE_BOUND_BYTES].rstrip(b"\xff")
    return start[:-1] + bytes([start[-1] + 1]) if start else None


def _scalar(raw: bytes | None, kind: pa.DataType | None) -> pa.Scalar | None:
    """A bound as a value; raises ValueError if it is none of its type."""
    if raw is None:
        return None
    if kind is None:
        raise ValueError
    if pt.is_string(kind):
        return pa.scalar(raw.decode(), kind)
    if pt.is_binary(kind):
        return pa.scalar(raw, kind)
    if len(raw) != max(kind.bit_width // 8, 1) or (pt.is_boolean(kind) and raw[0] > 1):
        raise ValueError
    if pt.is_boolean(kind):
        return pa.scalar(bool(raw[0]))
    bound = pa.Array.from_buffers(kind, 1, [None, pa.py_buffer(raw)])
    bound.validate(full=True)
    return bound[0]


def _descend(minimum: pa.Scalar | None, maximum: pa.Scalar | None) -> bool:
    """Whether the bounds are NaN or the wrong way round."""
    if minimum is None or maximum is None:
        return False
    pair = pa.array([minimum, maximum], type=minimum.type)
    if pt.is_floating(pair.type):
        values = pair.to_numpy()
        return not bool(values[0] <= values[1])
    least = pc.min_max(_ordered(pair))["min"]
    return not least.equals(_ordered(pair)[0])
