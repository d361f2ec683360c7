"""Full-precision vectors of one block: plain, or as floats that are compressed without loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import plain
from drift_arrow.format.codecs.numbers import FloatsBlock
from drift_arrow.format.codecs.part import ColumnBlock, Encoded
from drift_arrow.format.column_block import open_column
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId
from drift_arrow.format.profile import PROFILES
from drift_arrow.format.single_floats import SingleFloats, packed_place, single_floats
from drift_arrow.kernels.float_rows import gather_float_blocks, gather_float_rows
from drift_arrow.kernels.floats import decode_floats
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.row_table import floats_line, plain_line

VECTOR_CODECS: Final = frozenset({CodecId.PLAIN, CodecId.FLOATS, CodecId.COMPRESSED, CodecId.PLANES})
"""Codecs that a block of vectors may have."""


class VectorBlock(Protocol):
    """n parsed and checked vectors of dim dimensions. Immutable; safe to use by many threads."""

    held_bytes: int
    """Memory that it takes besides the stored bytes."""

    def read(self) -> NDArray[Any]:
        """(n, dim) matrix of the stored type, read-only if it is a view of the stored bytes."""
        ...

    def read_into(self, out: NDArray[Any]) -> None:
        """Write the same to (n, dim) `out` of the stored type, which is contiguous."""
        ...

    def gather(self, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Write rows, in any order but fastest in a rising one, to (m, dim) `out` of the stored type."""
        ...

    def line(self) -> NDArray[np.int64] | None:
        """Line of a `RowTable`, valid while this block lives; None if rows cannot be found by it."""
        ...

    def describe(self) -> Encoding:
        """What `drift-cli inspect` prints."""
        ...


def encode_vectors(matrix: NDArray[Any], profile: str) -> Encoded:
    """Encode a matrix by the codecs of a profile, or plainly if they save less than an eighth."""
    flat = np.ascontiguousarray(matrix).reshape(-1)
    encoded = PROFILES[profile].numbers(pa.array(flat))
    pays = encoded.codec in VECTOR_CODECS - {CodecId.PLAIN} and len(encoded.stored) * 8 <= flat.nbytes * 7
    return encoded if pays else plain(flat)


def open_vectors(
    stored: memoryview,
    codec: int,
    kind: pa.FixedSizeListType,
    n_rows: int,
    *,
    path: str,
    offset: int,
    descriptor: int | None = None,
) -> VectorBlock:
    """Parse and check a block of vectors.

    Parameters
    ----------
    stored : memoryview
        Its stored bytes, whose checksum was verified.
    codec, n_rows : int
        What the header of the block declares.
    kind : pa.FixedSizeListType
        Of the vector column.
    path, offset : str, int
        Location of `stored`, for errors.
    descriptor : int, optional
        Of the file if it is open: single vectors are then read from it, and leave no pages of `stored` in memory.

    Raises
    ------
    CorruptionError
        The bytes are nothing that an encoder of so many vectors produced.
    UnsupportedFormatError
        The codec is unknown here.
    """
    dtype, dim = np.dtype(kind.value_type.to_pandas_dtype()), int(kind.list_size)
    n_numbers = n_rows * dim
    raw_len = n_numbers * dtype.itemsize
    if codec == CodecId.PLAIN:
        if len(stored) != raw_len:
            message = f"block of vectors has another size; stored_len={len(stored)} expected={raw_len}"
            raise CorruptionError(message, path=path, offset=offset)
        stored_at = None if descriptor is None else (descriptor, offset)
        return PlainVectors(np.frombuffer(stored, dtype=dtype).reshape(n_rows, dim), stored_at)
    block = open_column(stored, codec, raw_len, kind.value_type, n_numbers, dictionary=None, path=path, offset=offset)
    if isinstance(block, FloatsBlock):
        place = packed_place(block.encoded, descriptor, offset, len(stored))
        return FloatVectors(block, dim, single_floats(block.encoded, place))
    return OtherVectors(block, raw_len, dim)


def gather_blocks(
    blocks: Sequence[VectorBlock],
    ends: Sequence[int],
    places: NDArray[np.int64],
    order: NDArray[np.int64],
    matrix: NDArray[Any],
) -> None:
    """Write rows of several blocks of one column.

    Parameters
    ----------
    blocks, ends : sequences of equal length, at least one
        Blocks, and where the rows of each end in `places`.
    places : (m,) int64
        Rows within their block, fastest in a rising order.
    order : (m,) int64
        Row of the matrix that each of them goes to.
    matrix : (m, dim) of the stored type
        Receives the rows.
    """
    floats = [block.encoded for block in blocks if isinstance(block, FloatVectors)]
    if len(floats) == len(blocks):
        gather_float_blocks(floats, np.array(ends, np.int64), places, order, matrix.shape[1], matrix)
        return
    for block, start, end in zip(blocks, (0, *ends), ends, strict=False):
        found = np.empty((end - start, matrix.shape[1]), matrix.dtype)
        block.gather(places[start:end], found)
        matrix[order[start:end]] = found


class PlainVectors:
    """A view of the stored bytes."""

    held_bytes = 0

    def __init__(self, matrix: NDArray[Any], stored_at: tuple[int, int] | None = None) -> None:
        self._matrix, self._stored_at = matrix, stored_at

    def read(self) -> NDArray[Any]:
        """The view."""
        return self._matrix

    def read_into(self, out: NDArray[Any]) -> None:
        """A copy."""
        out[:] = self._matrix

    def gather(self, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Copy rows."""
        np.take(self._matrix, places, axis=0, out=out, mode="clip")

    def line(self) -> NDArray[np.int64] | None:
        """Of values in memory, or in the file if it is open."""
        return plain_line(self._matrix.size, address_of(self._matrix), stored_at=self._stored_at)

    def describe(self) -> Encoding:
        """Size."""
        return Encoding(name="PLAIN", n_values=self._matrix.size, stored_bytes=self._matrix.nbytes)


class FloatVectors:
    """Floats of which only those vectors of 1024 values are decoded that the rows touch."""

    def __init__(self, block: FloatsBlock, dim: int, single: SingleFloats) -> None:
        self.encoded, self._block, self._dim, self._single = block.encoded, block, dim, single
        self.held_bytes = single.held_bytes

    def read(self) -> NDArray[Any]:
        """A new matrix."""
        return decode_floats(self.encoded).reshape(-1, self._dim)

    def read_into(self, out: NDArray[Any]) -> None:
        """Decode in place."""
        decode_floats(self.encoded, out.reshape(-1))

    def gather(self, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Decode what the rows touch."""
        gather_float_rows(self.encoded, places, self._dim, out)

    def line(self) -> NDArray[np.int64] | None:
        """Of encoded floats."""
        return floats_line(self._single.encoded, packed_at=self._single.packed_at)

    def describe(self) -> Encoding:
        """As of a column of floats."""
        return self._block.describe()


class OtherVectors:
    """Floats that a general compressor has made small, which may be held decompressed."""

    def __init__(self, block: ColumnBlock, raw_len: int, dim: int) -> None:
        self._block, self._dim = block, dim
        self.held_bytes = raw_len

    def read(self) -> NDArray[Any]:
        """A new matrix."""
        matrix: NDArray[Any] = self._block.read().to_numpy().reshape(-1, self._dim)
        return matrix

    def read_into(self, out: NDArray[Any]) -> None:
        """A copy."""
        out[:] = self.read()

    def gather(self, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Take the numbers of the rows."""
        numbers = (places[:, None] * self._dim + np.arange(self._dim)).reshape(-1)
        out[:] = self._block.take(numbers).to_numpy().reshape(-1, self._dim)

    def line(self) -> NDArray[np.int64] | None:
        """None: what is decompressed is not kept."""
        return None

    def describe(self) -> Encoding:
        """As of a column of floats."""
        return self._block.describe()
