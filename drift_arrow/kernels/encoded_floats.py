"""Encoded floats as plain arrays: all that is to be written to a file, and what they say."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.float_header import (
    DICTIONARY_SIZE,
    GROUP_VECTORS,
    SCHEME_NAMES,
    is_valid_header,
    locate_vectors,
)
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
    is_inside,
)
from drift_arrow.kernels.lanes import TAIL_BYTES, VALUES
from drift_arrow.kernels.memory import array_at

FLOATS: Final = {np.dtype(f"f{size}"): np.dtype(f"u{size}") for size in (2, 4, 8)}
"""Types of values, and those of their bits."""


@kernel
def _fill_table(
    n: Any, headers: Any, bases: Any, starts: Any, dictionaries: Any, packed: Any, positions: Any, exceptions: Any,
    lefts: Any, table: Any,
) -> None:  # fmt: skip
    """Write the table of these arrays; compiled, because Python takes a microsecond to tell an address."""
    table[N_VALUES] = n
    table[HEADERS], table[HEADERS + 1] = headers.ctypes.data, headers.size
    table[BASES], table[BASES + 1] = bases.ctypes.data, bases.size
    table[STARTS], table[STARTS + 1] = starts.ctypes.data, starts.size
    table[DICTIONARIES], table[DICTIONARIES + 1] = dictionaries.ctypes.data, dictionaries.size
    table[PACKED], table[PACKED + 1] = packed.ctypes.data, packed.size
    table[POSITIONS], table[POSITIONS + 1] = positions.ctypes.data, positions.size
    table[EXCEPTIONS], table[EXCEPTIONS + 1] = exceptions.ctypes.data, exceptions.size
    table[LEFTS], table[LEFTS + 1] = lefts.ctypes.data, lefts.size


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedFloats:
    """Floats in vectors of 1024, by ALP, ALP_RD or neither.

    dtype : float16, float32 or float64
    n : int                               number of values
    headers, bases : (v,) uint32, int64   of the vectors; see `float_header`
    dictionaries : (g, 8) uint16          left parts of the row-groups of 100 vectors; zeros where ALP_RD is not used
    packed : (p,) uint8                   packed vectors one after the other, then 128 bytes that only must be readable
    positions : (m,) uint16               of the exceptions within their vectors
    exceptions : (a,) unsigned integers   bits of the exceptions of ALP
    lefts : (r,) uint16                   left parts of the exceptions of ALP_RD; a + r = m

    Making one checks dtypes and shapes (ValueError) but not what the arrays say: see `check_floats`.
    """

    dtype: np.dtype[Any]
    n: int
    headers: NDArray[np.uint32]
    bases: NDArray[np.int64]
    dictionaries: NDArray[np.uint16]
    packed: NDArray[np.uint8]
    positions: NDArray[np.uint16]
    exceptions: NDArray[Any]
    lefts: NDArray[np.uint16]

    @classmethod
    def of_views(cls, **arrays: Any) -> EncodedFloats:
        """As the constructor, for read-only arrays that have the right types and shapes by construction.

        Checking them again takes as long as decoding half a block.
        """
        encoded = object.__new__(cls)
        encoded.__dict__.update(arrays)
        return encoded

    def __post_init__(self) -> None:
        if self.dtype not in FLOATS:
            raise ValueError(f"values must be float16, float32 or float64; got={self.dtype}")
        if not 0 <= self.n < 1 << 48:
            raise ValueError(f"number of values must be in [0, 2**48); got={self.n}")
        n_vectors = -(-self.n // VALUES)
        self._check("headers", np.uint32, n_vectors)
        self._check("bases", np.int64, n_vectors)
        self._check("dictionaries", np.uint16, -(-n_vectors // GROUP_VECTORS), DICTIONARY_SIZE)
        self._check("packed", np.uint8, None)
        self._check("positions", np.uint16, None)
        self._check("exceptions", FLOATS[self.dtype], None)
        self._check("lefts", np.uint16, None)

    def _check(self, name: str, dtype: Any, *shape: int | None) -> None:
        object.__setattr__(self, name, readonly(name, getattr(self, name), dtype, *shape))

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """(v + 1, 3): where each vector begins in the packed bytes, the exceptions and the lefts."""
        starts = np.empty((len(self.headers) + 1, 3), np.int64)
        locate_vectors(self.headers, self.bases, starts)
        return readonly("starts", starts, np.int64, None, 3)

    @cached_property
    def table(self) -> NDArray[np.int64]:
        """(17,): number of values, then addresses and lengths of the arrays, as `float_table` reads them."""
        table = np.empty(TABLE_SIZE, np.int64)
        _fill_table(
            self.n, self.headers, self.bases, self.starts, self.dictionaries, self.packed, self.positions,
            self.exceptions, self.lefts, table,
        )  # fmt: skip
        table.flags.writeable = False
        return table

    def detached(self) -> EncodedFloats:
        """The same with copies of all but the packed vectors, so that to find one of them reads no page of a file."""
        arrays = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name, array in arrays.items():
            if name not in {"dtype", "n", "packed"}:
                arrays[name] = readonly(name, array.copy(), array.dtype, *array.shape)
        return EncodedFloats.of_views(**arrays, starts=self.starts)

    @cached_property
    def whole_vectors(self) -> NDArray[np.int64]:
        """Numbers of the vectors of 1024 values, which is all but the last if that has fewer."""
        return np.arange(self.n // VALUES)

    @cached_property
    def misfit(self) -> str | None:
        """What does not end where the headers say; None if everything does."""
        packed, n_exceptions, n_lefts = self.starts[-1].tolist()
        if packed + TAIL_BYTES != self.packed.size:
            return f"packed bytes do not end with the last vector; got={self.packed.size} want={packed + TAIL_BYTES}"
        got = (self.positions.size, self.exceptions.size, self.lefts.size)
        want = (n_exceptions + n_lefts, n_exceptions, n_lefts)
        if got != want:
            return f"positions, exceptions and lefts do not fit the headers; got={got} want={want}"
        return None

    @property
    def schemes(self) -> NDArray[np.uint8]:
        """(v,): number of the scheme of each vector; see `SCHEME_NAMES`."""
        return (self.headers & 3).astype(np.uint8)

    @property
    def widths(self) -> NDArray[np.uint8]:
        """(v,): bits of a packed integer, without the left codes of ALP_RD."""
        return (self.headers >> 2 & 127).astype(np.uint8)

    @property
    def exponents(self) -> NDArray[np.uint8]:
        """(v, 2): e and f of ALP; of ALP_RD the bits below the cut, and the zeros that were cut off their end."""
        return np.stack((self.headers >> 9 & 63, self.headers >> 15 & 63), axis=1).astype(np.uint8)

    @property
    def n_exceptions(self) -> NDArray[np.uint16]:
        """(v,): exceptions of each vector."""
        return (self.headers >> 21).astype(np.uint16)

    @property
    def scheme_counts(self) -> dict[str, int]:
        """Vectors of each scheme that occurs, by its name."""
        counts = Counter(self.schemes.tolist())
        return {SCHEME_NAMES[scheme]: counts[scheme] for scheme in sorted(counts)}

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays, without the 128 readable ones at the end of `packed`."""
        arrays = (getattr(self, field.name) for field in fields(self) if field.name not in {"dtype", "n"})
        return sum(int(array.nbytes) for array in arrays) - TAIL_BYTES

    @property
    def bits_per_value(self) -> float:
        """Bits that a value takes, everything included; nan without values."""
        return self.size_bytes * 8 / self.n if self.n else float("nan")


@kernel
def first_damaged(table: Any, item_bits: Any) -> Any:
    """Number of the first vector whose header or exceptions are damaged, or -1; see `float_table`."""
    headers = array_at(table[HEADERS], table[HEADERS + 1], np.uint32(0))
    bases = array_at(table[BASES], table[BASES + 1], np.int64(0))
    starts = array_at(table[STARTS], table[STARTS + 1], np.int64(0))
    positions = array_at(table[POSITIONS], table[POSITIONS + 1], np.uint16(0))
    for vector in range(len(headers)):
        header, base = headers[vector], bases[vector]
        if not is_valid_header(header, base, item_bits):
            return vector
        begin = starts[3 * vector : 3 * vector + 6]
        if not is_inside(header, base, begin, table):
            return vector
        for i in range(begin[1] + begin[2], begin[4] + begin[5]):
            if positions[i] >= VALUES:
                return vector
    return -1


@kernel(inline=True)
def ends_fit(table: Any) -> Any:
    """Whether all arrays end where the headers say; see `EncodedFloats.misfit`."""
    ends = array_at(table[STARTS], table[STARTS + 1], np.int64(0))[table[STARTS + 1] - 3 :]
    return (
        ends[0] + TAIL_BYTES == table[PACKED + 1]
        and ends[1] == table[EXCEPTIONS + 1]
        and ends[2] == table[LEFTS + 1]
        and ends[1] + ends[2] == table[POSITIONS + 1]
    )


def check_floats(encoded: EncodedFloats) -> str | None:
    """Find what is wrong with encoded floats, for example those of a damaged file.

    Parameters
    ----------
    encoded : EncodedFloats

    Returns
    -------
    str or None
        A sentence about the first fault; None if and only if `decode_floats` accepts everything.

    Notes
    -----
    Safety does not depend on it: `decode_floats` and `decode_vector` check each header they follow. O(vectors +
    exceptions).
    """
    vector = first_damaged(encoded.table, encoded.dtype.itemsize * 8)
    if vector >= 0:
        return f"header or exceptions of a vector are damaged; vector={vector}"
    return encoded.misfit
