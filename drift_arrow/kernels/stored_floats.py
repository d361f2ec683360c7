"""Encoded floats in stored bytes: decoders need their table only, and the arrays are made for those who ask."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.encoded_floats import FLOATS, EncodedFloats, ends_fit, first_damaged
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, locate_vectors
from drift_arrow.kernels.float_table import (
    BASES,
    DICTIONARIES,
    EXCEPTIONS,
    HEADERS,
    LEFTS,
    N_VALUES,
    PACKED,
    POSITIONS,
    STARTS,
    TABLE_SIZE,
)
from drift_arrow.kernels.memory import address_of, array_at

_SOUND: Final = -1
_MISFIT: Final = -2

_ARRAYS: Final = MappingProxyType(
    {
        "bases": (0, np.dtype(np.int64)),
        "exceptions": (2, None),
        "headers": (4, np.dtype(np.uint32)),
        "dictionaries": (6, np.dtype(np.uint16)),
        "positions": (8, np.dtype(np.uint16)),
        "lefts": (10, np.dtype(np.uint16)),
        "packed": (12, np.dtype(np.uint8)),
    }
)
"""Where the address of each array stands among the places, and its type; that of exceptions follows from the values."""


@kernel
def _load(n: Any, item_bits: Any, places: Any, starts: Any, table: Any) -> Any:
    """Fill in `starts` and `table`; the number of a damaged vector, or what is wrong otherwise."""
    table[N_VALUES] = n
    table[BASES], table[BASES + 1] = places[0], places[1]
    table[EXCEPTIONS], table[EXCEPTIONS + 1] = places[2], places[3]
    table[HEADERS], table[HEADERS + 1] = places[4], places[5]
    table[DICTIONARIES], table[DICTIONARIES + 1] = places[6], places[7]
    table[POSITIONS], table[POSITIONS + 1] = places[8], places[9]
    table[LEFTS], table[LEFTS + 1] = places[10], places[11]
    table[PACKED], table[PACKED + 1] = places[12], places[13]
    table[STARTS], table[STARTS + 1] = starts.ctypes.data, starts.size
    headers = array_at(table[HEADERS], table[HEADERS + 1], np.uint32(0))
    locate_vectors(headers, array_at(table[BASES], table[BASES + 1], np.int64(0)), starts)
    vector = np.int64(first_damaged(table, item_bits))
    if vector >= 0:
        return vector
    return np.int64(_SOUND if ends_fit(table) else _MISFIT)


class StoredFloats(EncodedFloats):
    """As `EncodedFloats`, checked, and in place. To make all arrays takes as long as to decode a block."""

    @classmethod
    def load(cls, dtype: np.dtype[Any], n: int, raw: NDArray[np.uint8], places: NDArray[np.int64]) -> StoredFloats:
        """Check stored arrays.

        Parameters
        ----------
        dtype : float16, float32 or float64
        n : int
        raw : (m,) uint8, read-only
            Holds the arrays, and lives as long as these floats.
        places : (14,) int64
            Address and number of items of bases, exceptions, headers, dictionaries, positions, lefts and packed bytes,
            all inside of `raw`; those whose numbers follow from `n` have as many.

        Raises
        ------
        ValueError    the arrays contradict each other
        """
        starts, table = np.empty((int(places[5]) + 1, 3), np.int64), np.empty(TABLE_SIZE, np.int64)
        found = object.__new__(cls)
        found.__dict__.update(dtype=dtype, n=n, raw=raw, places=places, starts=starts, table=table)
        problem = _load(n, dtype.itemsize * 8, places, starts, table)
        if problem >= 0:
            raise ValueError(f"header or exceptions of a vector are damaged; vector={problem}")
        if problem == _MISFIT:
            raise ValueError(found.misfit)
        starts.flags.writeable = table.flags.writeable = False
        found.__dict__["misfit"] = None
        return found

    def __getattr__(self, name: str) -> Any:
        """An array that was not made yet."""
        if name not in _ARRAYS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        at, dtype = _ARRAYS[name]
        dtype = dtype or FLOATS[self.dtype]
        raw: NDArray[np.uint8] = self.__dict__["raw"]
        address, size = self.__dict__["places"][at : at + 2].tolist()
        start = address - address_of(raw)
        array: NDArray[Any] = raw[start : start + size * dtype.itemsize].view(dtype)
        if name == "dictionaries":
            array = array.reshape(-1, DICTIONARY_SIZE)
        self.__dict__[name] = array
        return array
