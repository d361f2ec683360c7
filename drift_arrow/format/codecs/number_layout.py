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
from drift_arrow.kernels.stored_arrays import MISALIGNED, NOT_ZERO, WRONG_SIZE, place_arrays

_HEADER: Final = struct.Struct("<BBHIIIII")
_ZEROS: Final = bytes(ARRAY_ALIGNMENT)


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
        if not array.size:
            continue
        parts.append(array.data)
        padding = padding_bytes(array.nbytes, ARRAY_ALIGNMENT)
        if padding:
            parts.append(_ZEROS[:padding])
    return b"".join(parts)


def read_sizes(stored: memoryview, width: int, n_values: int, source: Source) -> tuple[NDArray[np.uint8], NumberSizes]:
    """Read the header of stored numbers, believing nothing.

    Parameters
    ----------
    stored : memoryview
        What `join_arrays` wrote, or claims to be it.
    width, n_values : int
        What the header must say.
    source : Source

    Returns
    -------
    (n,) uint8, read-only, and NumberSizes
        The stored bytes, the header included, and what it says.

    Raises
    ------
    CorruptionError
        The header is cut off, impossible, or says something else.
    """
    if len(stored) < NUMBERS_HEADER_BYTES:
        raise source.damage("is cut off")
    found_width, zero, zeros, found, first, second, third, packed_bytes = _HEADER.unpack_from(stored)
    if zero or zeros or packed_bytes < TAIL_BYTES:
        raise source.damage("has an impossible header of numbers")
    if found_width != width or found != n_values:
        raise source.damage(f"holds other numbers than it declares; width={found_width} n_values={found}")
    return np.frombuffer(stored.toreadonly(), np.uint8), NumberSizes(
        width, n_values, (first, second, third), packed_bytes
    )


def place(
    raw: NDArray[np.uint8],
    item_bytes: tuple[int, ...],
    counts: tuple[int, ...],
    numbers: NDArray[np.int64],
    source: Source,
) -> NDArray[np.uint8]:
    """Find the arrays behind the header, the packed bytes being the last.

    Parameters
    ----------
    raw : (n,) uint8
        Of `read_sizes`.
    item_bytes, counts : tuples of int
        Bytes of an item, and number of items, of each array.
    numbers : int64
        Receives address and number of items of each.
    source : Source

    Returns
    -------
    (n,) uint8
        Where the arrays are: `raw`, or a copy if numbers may not stand at its address.

    Raises
    ------
    CorruptionError
        They are fewer or more bytes than that, or something between them is not zero.
    """
    problem, want = place_arrays(raw, NUMBERS_HEADER_BYTES, item_bytes, counts, numbers)
    if problem == MISALIGNED:
        raw = raw.copy()
        raw.setflags(write=False)
        problem, want = place_arrays(raw, NUMBERS_HEADER_BYTES, item_bytes, counts, numbers)
    if problem == WRONG_SIZE:
        raise source.damage(f"does not have the size of its arrays; got={raw.size} want={want}")
    if problem == NOT_ZERO:
        raise source.damage("has padding that is not zero")
    return raw
