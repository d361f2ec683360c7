"""What packed integers and packed floats have in common in a file: a header of sizes, then arrays one by one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.part import Source
from drift_arrow.format.layout import ARRAY_ALIGNMENT, NUMBERS_HEADER_BYTES, padding_bytes
from drift_arrow.kernels.lanes import TAIL_BYTES, VALUES

_HEADER: Final = struct.Struct("<BBHIIIII")


class NumberSizes(NamedTuple):
    """Sizes of the arrays of n numbers.

    width : int
        Bytes of a number: 1, 2, 4 or 8.
    n_values : int
    counts : (int, int, int)
        Items of those arrays whose sizes do not follow from `n_values`; what they are is the business of each codec.
    packed_bytes : int
        The tail of 128 zeros included.
    """

    width: int
    n_values: int
    counts: tuple[int, int, int]
    packed_bytes: int

    @property
    def n_vectors(self) -> int:
        """Vectors of 1024 numbers."""
        return -(-self.n_values // VALUES)


def join_arrays(sizes: NumberSizes, arrays: Sequence[NDArray[Any]]) -> bytes:
    """The stored bytes: header and arrays, each at a multiple of 8 bytes."""
    parts = [_HEADER.pack(sizes.width, 0, 0, sizes.n_values, *sizes.counts, sizes.packed_bytes)]
    for array in arrays:
        parts += [array.tobytes(), bytes(padding_bytes(array.nbytes, ARRAY_ALIGNMENT))]
    return b"".join(parts)


class ArrayReader:
    """Takes stored numbers apart, believing nothing.

    Parameters
    ----------
    stored : memoryview
        What `join_arrays` wrote, or claims to be it.
    width, n_values : int
        What the header must say.
    source : Source

    Raises
    ------
    CorruptionError
        The header is cut off, impossible, or says something else.
    """

    def __init__(self, stored: memoryview, width: int, n_values: int, source: Source) -> None:
        self._source = source
        if len(stored) < NUMBERS_HEADER_BYTES:
            raise source.damage("is cut off")
        address = np.frombuffer(stored, dtype=np.uint8).ctypes.data
        # compiled code takes the arrays in place, and only where their type may stand
        self._stored = stored if address % ARRAY_ALIGNMENT == 0 else byte_view(np.frombuffer(stored, np.uint8).copy())
        found_width, zero, zeros, found, first, second, third, packed_bytes = _HEADER.unpack_from(stored)
        if zero or zeros or packed_bytes < TAIL_BYTES:
            raise source.damage("has an impossible header of numbers")
        if found_width != width or found != n_values:
            raise source.damage(f"holds other numbers than it declares; width={found_width} n_values={found}")
        self.sizes = NumberSizes(width, n_values, (first, second, third), packed_bytes)

    def arrays(self, parts: Sequence[tuple[DTypeLike, int]]) -> list[NDArray[Any]]:
        """Arrays of the given types and sizes, in place; the last are the packed bytes."""
        start, gaps, places = NUMBERS_HEADER_BYTES, [], []
        for kind, size in parts:
            dtype = np.dtype(kind)
            places.append((dtype, size, start))
            stop = start + size * dtype.itemsize
            start = stop + padding_bytes(stop, ARRAY_ALIGNMENT)
            gaps.append(slice(stop, start))
        if start != len(self._stored):
            raise self._source.damage(f"does not have the size of its arrays; got={len(self._stored)} want={start}")
        gaps.append(slice(start - TAIL_BYTES, start))
        if any(b"".join([self._stored[gap] for gap in gaps])):
            raise self._source.damage("has padding that is not zero")
        return [np.ndarray(size, dtype, self._stored, place) for dtype, size, place in places]
