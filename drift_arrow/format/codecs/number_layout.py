"""What packed integers and packed floats have in common in a file: a header of sizes, then arrays one by one."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

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


def join_arrays(head: bytes, sizes: NumberSizes, arrays: Sequence[NDArray[Any]]) -> bytes:
    """The stored bytes behind those of `head`: header and arrays, each at a multiple of 8 bytes."""
    header = _HEADER.pack(sizes.width, 0, 0, sizes.n_values, *sizes.counts, sizes.packed_bytes)
    parts: list[bytes | memoryview] = [head, header]
    for array in arrays:
        parts += [array.data, bytes(padding_bytes(array.nbytes, ARRAY_ALIGNMENT))]
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
        raw = np.frombuffer(stored, np.uint8)
        # compiled code takes the arrays in place, and only where their type may stand
        if raw.__array_interface__["data"][0] % ARRAY_ALIGNMENT:
            raw = raw.copy()
        raw.flags.writeable = False
        self._raw = raw
        found_width, zero, zeros, found, first, second, third, packed_bytes = _HEADER.unpack_from(stored)
        if zero or zeros or packed_bytes < TAIL_BYTES:
            raise source.damage("has an impossible header of numbers")
        if found_width != width or found != n_values:
            raise source.damage(f"holds other numbers than it declares; width={found_width} n_values={found}")
        self.sizes = NumberSizes(width, n_values, (first, second, third), packed_bytes)

    def arrays(self, parts: Sequence[tuple[np.dtype[Any], int]]) -> list[NDArray[Any]]:
        """Read-only arrays of the given types and sizes, in place; the last are the packed bytes."""
        start, places, zeros = NUMBERS_HEADER_BYTES, [], []
        for dtype, size in parts:
            stop = start + size * dtype.itemsize
            places.append((start, stop, dtype))
            start = stop + padding_bytes(stop, ARRAY_ALIGNMENT)
            zeros.append((stop, start))
        if start != self._raw.size:
            raise self._source.damage(f"does not have the size of its arrays; got={self._raw.size} want={start}")
        zeros.append((start - TAIL_BYTES, start))
        padding = b"".join([self._raw.data[stop:start] for stop, start in zeros if stop < start])
        if padding.count(0) != len(padding):
            raise self._source.damage("has padding that is not zero")
        return [self._raw[start:stop].view(dtype) for start, stop, dtype in places]
