"""What blocks of integers and of floats have in common: a header of sizes, the validity bitmap, arrays one by one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import ARRAY_ALIGNMENT, NUMBERS_HEADER_BYTES, VALIDITY_ALIGNMENT, padding_bytes
from drift_arrow.kernels.lanes import TAIL_BYTES, VALUES

_HEADER: Final = struct.Struct("<BBHIIIII")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberBlock:
    """Sizes of the parts of a block of numbers.

    Parameters
    ----------
    width : int
        Bytes of a value: 1, 2, 4 or 8.
    has_nulls : bool
        Whether there is a validity bitmap.
    n_values : int
    counts : (int, int, int)
        Items of those arrays whose sizes do not follow from `n_values`; what they are is the business of each codec.
    packed_bytes : int
        The tail of 128 zeros included.
    """

    width: int
    has_nulls: bool
    n_values: int
    counts: tuple[int, int, int]
    packed_bytes: int

    @property
    def n_vectors(self) -> int:
        """Vectors of 1024 values."""
        return -(-self.n_values // VALUES)

    @property
    def validity_bytes(self) -> int:
        """Size of the bitmap; 0 if there is none."""
        return -(-self.n_values // 8) if self.has_nulls else 0

    @property
    def raw_bytes(self) -> int:
        """Size of the raw bytes; see `raw_numbers`."""
        return raw_size(self.n_values, self.width, has_nulls=self.has_nulls)

    def encode(self, validity: NDArray[np.uint8], arrays: Sequence[NDArray[Any]]) -> bytes:
        """The stored bytes: header, bitmap and arrays, each at a multiple of 8 bytes."""
        sizes = (*self.counts, self.packed_bytes)
        parts = [_HEADER.pack(self.width, self.has_nulls, 0, self.n_values, *sizes)]
        for array in (validity, *arrays):
            parts += [array.tobytes(), bytes(padding_bytes(array.nbytes, ARRAY_ALIGNMENT))]
        return b"".join(parts)


class NumberReader:
    """Takes the stored bytes of a block of numbers apart, believing nothing.

    Parameters
    ----------
    stored : memoryview
        What `NumberBlock.encode` wrote, or claims to be it.
    raw_len : int
        Size of the raw bytes, as the block declares it.
    widths : set of int
        Widths of values that the codec knows.
    path, offset : str, int
        Location of `stored`, for errors.

    Raises
    ------
    CorruptionError
        The header is cut off, impossible, or contradicts `raw_len`.
    """

    def __init__(self, stored: memoryview, raw_len: int, widths: set[int], *, path: str, offset: int) -> None:
        self._path, self._offset = path, offset
        if len(stored) < NUMBERS_HEADER_BYTES:
            raise self.damage("is cut off")
        address = np.frombuffer(stored, dtype=np.uint8).ctypes.data
        # compiled code takes the arrays in place, and only where their type may stand
        self._stored = stored if address % ARRAY_ALIGNMENT == 0 else byte_view(np.frombuffer(stored, np.uint8).copy())
        width, has_nulls, zero, n_values, first, second, third, packed_bytes = _HEADER.unpack_from(stored)
        if width not in widths or has_nulls > 1 or zero or packed_bytes < TAIL_BYTES:
            raise self.damage("has an impossible header")
        self.block = NumberBlock(
            width=width,
            has_nulls=bool(has_nulls),
            n_values=n_values,
            counts=(first, second, third),
            packed_bytes=packed_bytes,
        )
        if self.block.raw_bytes != raw_len:
            raise self.damage(f"has another size than it declares; got={self.block.raw_bytes} raw_len={raw_len}")

    def damage(self, problem: str) -> CorruptionError:
        """The error to raise."""
        return CorruptionError(f"block of numbers {problem}", path=self._path, offset=self._offset)

    def arrays(self, parts: Sequence[tuple[DTypeLike, int]]) -> tuple[NDArray[np.uint8], list[NDArray[Any]]]:
        """Validity bitmap and arrays of the given types and sizes, in place; the last are the packed bytes."""
        start, gaps = NUMBERS_HEADER_BYTES, []
        places = []
        for kind, size in ((np.dtype(np.uint8), self.block.validity_bytes), *parts):
            dtype = np.dtype(kind)
            places.append((dtype, size, start))
            stop = start + size * dtype.itemsize
            start = stop + padding_bytes(stop, ARRAY_ALIGNMENT)
            gaps.append(slice(stop, start))
        if start != len(self._stored):
            raise self.damage(f"does not have the size of its parts; got={len(self._stored)} want={start}")
        gaps.append(slice(start - TAIL_BYTES, start))
        if any(b"".join([self._stored[gap] for gap in gaps])):
            raise self.damage("has padding that is not zero")
        found = [np.ndarray(size, dtype, self._stored, place) for dtype, size, place in places]
        return found[0], found[1:]

    def output(self, validity: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """New raw bytes at a multiple of 64, complete but for the values, and those of them that hold the values."""
        block = self.block
        spare = block.n_values % 8
        if block.has_nulls and spare and validity[-1] >> spare:
            raise self.damage("has bits past its last row")
        room = np.empty(block.raw_bytes + VALIDITY_ALIGNMENT, dtype=np.uint8)
        skip = -room.ctypes.data % VALIDITY_ALIGNMENT
        raw = room[skip : skip + block.raw_bytes]
        values_bytes = block.n_values * block.width
        if block.has_nulls:
            raw[values_bytes : len(raw) - len(validity)] = 0
            raw[len(raw) - len(validity) :] = validity
        return raw, raw[:values_bytes]


def raw_size(n_values: int, width: int, *, has_nulls: bool) -> int:
    """Bytes of n values: without nulls, the values; else zeros up to a multiple of 64 bytes and the bitmap as well."""
    values_bytes = n_values * width
    return values_bytes + (padding_bytes(values_bytes, VALIDITY_ALIGNMENT) - (-n_values // 8) if has_nulls else 0)
