"""An encoded column of integers: its arrays, and what makes them consistent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels.integer_table import IntegerTable, checked_table, numbers_for
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.memory import address_of

_ARRAYS: Final = (
    "bases",
    "exceptions",
    "dictionary",
    "exception_counts",
    "exception_positions",
    "schemes",
    "widths",
    "packed",
)
"""In the order of `integer_table`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedIntegers:
    """A column in v vectors of 1024 values, the last of which may be filled up. Its arrays must not change.

    length : int
        Values of the column.
    dtype : dtype
        Signed or unsigned integers. Values are stored as the unsigned type of this size, modulo its range.
    schemes, widths : (v,) uint8
        One of the schemes of `integer_table`, and the bits of a packed code.
    bases : (v,) unsigned
    exception_counts : (v,) uint16
    exception_positions : (e,) uint16
        Inside the vector, rising.
    exceptions : (e,) unsigned
    dictionary : (k,) unsigned
    packed : (128 * sum of widths + 128,) uint8
        Of a vector the narrowest lanes of 8, 16, 32 or 64 bits that hold a code; see `lanes`. The last 128 bytes are
        padding that decoders load.
    """

    length: int
    dtype: np.dtype[Any]
    schemes: NDArray[np.uint8]
    widths: NDArray[np.uint8]
    bases: NDArray[Any]
    exception_counts: NDArray[np.uint16]
    exception_positions: NDArray[np.uint16]
    exceptions: NDArray[Any]
    dictionary: NDArray[Any]
    packed: NDArray[np.uint8]

    @classmethod
    def of_arrays(cls, **arrays: Any) -> EncodedIntegers:
        """As the constructor, in a third of its time: a frozen class sets its fields one by one."""
        encoded = object.__new__(cls)
        encoded.__dict__.update(arrays)
        return encoded

    @property
    def size_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(self, name).nbytes for name in _ARRAYS)

    @property
    def n_vectors(self) -> int:
        """Vectors of the column."""
        return -(-self.length // VALUES)

    @cached_property
    def table(self) -> IntegerTable:
        """What decoders take.

        Raises
        ------
        ValueError    the arrays contradict each other, so that decoding them would read or write somewhere else
        """
        contradiction = _array_contradiction(self)
        if contradiction:
            raise ValueError(contradiction)
        arrays, numbers = [getattr(self, name) for name in _ARRAYS], numbers_for(self.n_vectors)
        places = list(chain.from_iterable((address_of(array), array.size) for array in arrays))
        numbers[: len(places)] = places
        return checked_table(self.length, self.dtype, numbers, arrays)


def check_integers(encoded: EncodedIntegers) -> str | None:
    """Name the first contradiction between the arrays of a column, which may come from anywhere; None if there is none.

    What passes is safe to decode, whatever the packed bytes say: no address outside the arrays follows from them.
    """
    try:
        _ = encoded.table
    except ValueError as problem:
        return str(problem)
    return None


def _array_contradiction(encoded: EncodedIntegers) -> str | None:
    if encoded.dtype.kind not in "iu" or not encoded.dtype.isnative:
        return f"values must be integers in native byte order; got={encoded.dtype}"
    if encoded.length < 0:
        return f"length must not be negative; got={encoded.length}"
    unsigned = np.dtype(f"u{encoded.dtype.itemsize}")
    n_vectors = encoded.n_vectors
    n_exceptions = np.size(encoded.exception_positions)
    wanted: dict[str, tuple[Any, int | None]] = {
        "schemes": ("u1", n_vectors),
        "widths": ("u1", n_vectors),
        "bases": (unsigned, n_vectors),
        "exception_counts": ("u2", n_vectors),
        "exception_positions": ("u2", None),
        "exceptions": (unsigned, n_exceptions),
        "dictionary": (unsigned, None),
        "packed": ("u1", None),
    }
    for name, (kind, size) in wanted.items():
        array, dtype = getattr(encoded, name), np.dtype(kind)
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
            return f"{name} must be a one-dimensional array of {dtype}"
        if not (array.flags.c_contiguous and array.flags.aligned):
            return f"{name} must be contiguous and aligned"
        if size not in {None, array.size}:
            return f"{name} has the wrong length; got={array.size} want={size}"
    return None
