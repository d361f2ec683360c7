"""Which rows of an encoded column are null: a bitmap before its values, itself packed where that is smaller."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.codecs.integer_layout import dump_integers, load_integers
from drift_arrow.format.codecs.part import Cursor, Source
from drift_arrow.format.layout import ARRAY_ALIGNMENT, padding_bytes
from drift_arrow.kernels.integers import decode_table, encode_integers
from drift_arrow.kernels.memory import address_of

_HEADER: Final = struct.Struct("<B3sI")
_NO_NULLS, _BITMAP, _PACKED = range(3)
_ZEROS: Final = bytes(3)


class Validity:
    """Bits of n rows, set where a row is not null.

    Parameters
    ----------
    bitmap : ((n + 7) // 8,) uint8, or None
        Lowest bit first, bits past the last row zero; None if no row is null.
    """

    def __init__(self, bitmap: NDArray[np.uint8] | None) -> None:
        self._bitmap = bitmap

    @classmethod
    def of(cls, array: pa.Array) -> Validity:
        """Of the rows of an array."""
        if not array.null_count:
            return cls(None)
        return cls(np.packbits(_flags(array), bitorder="little"))

    @property
    def address(self) -> int:
        """Where they lie in memory; 0 if no row is null."""
        return 0 if self._bitmap is None else address_of(self._bitmap)

    @property
    def raw_len(self) -> int:
        """Bytes in memory."""
        return 0 if self._bitmap is None else self._bitmap.size

    def read(self) -> pa.Buffer | None:
        """All of them, as a buffer of an Arrow array."""
        return None if self._bitmap is None else pa.py_buffer(self._bitmap)

    def take(self, places: NDArray[np.int64]) -> pa.Buffer | None:
        """Those of some rows."""
        if self._bitmap is None:
            return None
        bits = (self._bitmap[places >> 3] >> (places & 7).astype(np.uint8)) & 1
        return pa.py_buffer(np.packbits(bits, bitorder="little"))

    def encode(self) -> bytes:
        """Their stored bytes, the shorter of the bitmap itself and its bytes as packed integers."""
        if self._bitmap is None:
            return _HEADER.pack(_NO_NULLS, b"", 0)
        packed, plain = dump_integers(encode_integers(self._bitmap)), self._bitmap.tobytes()
        form, stored = (_PACKED, packed) if len(packed) < len(plain) else (_BITMAP, plain)
        return _HEADER.pack(form, b"", len(stored)) + stored + bytes(padding_bytes(len(stored), ARRAY_ALIGNMENT))


def read_validity(cursor: Cursor, n_values: int, source: Source) -> Validity:
    """Take what `Validity.encode` wrote; raises CorruptionError."""
    form, zeros, size = _HEADER.unpack(cursor.take(_HEADER.size))
    if form > _PACKED or zeros != _ZEROS:
        raise source.damage("has an impossible header of its nulls")
    if form == _NO_NULLS:
        if size:
            raise source.damage("has a bitmap of nulls and says that there is none")
        return Validity(None)
    stored, n_bytes = cursor.take(size), -(-n_values // 8)
    if form == _PACKED:
        bitmap = decode_table(load_integers(stored, 1, n_bytes, source))
    elif size == n_bytes:
        bitmap = np.frombuffer(stored, np.uint8)
    else:
        raise source.damage(f"has a bitmap of nulls of another size; got={size} want={n_bytes}")
    spare = n_values % 8
    if spare and bitmap[-1] >> spare:
        raise source.damage("has nulls past its last row")
    return Validity(bitmap)


def with_validity(array: pa.Array, validity: pa.Buffer | None) -> pa.Array:
    """A flat array of no nulls and no offset, with nulls."""
    if validity is None:
        return array
    return pa.Array.from_buffers(array.type, len(array), [validity, *array.buffers()[1:]])


def _flags(array: pa.Array) -> NDArray[np.bool_]:
    flags: NDArray[np.bool_] = array.is_valid().to_numpy(zero_copy_only=False)
    return flags
