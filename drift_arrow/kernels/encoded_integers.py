"""An encoded column of integers: its arrays, what makes them consistent, and where each vector lies in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import ROW_BYTES, TAIL_BYTES, VALUES

FRAME: Final = 0
"""`base` plus a code of `width` bits. Exceptions replace values. A constant vector has width 0 and no exceptions."""
DELTA: Final = 1
"""Running sum of `base` plus a code. Exceptions are the values at which it starts anew, the first of them included."""
RUNS: Final = 2
"""Exceptions are the runs: each value repeats up to the next. Width 0."""
DICTIONARY: Final = 3
"""Entry of the dictionary number `base` plus a code. No exceptions."""

_ARRAYS: Final = (
    "schemes",
    "widths",
    "bases",
    "exception_counts",
    "exception_positions",
    "exceptions",
    "dictionary",
    "packed",
)

N_SCHEMES: Final = 4
POSITION_BITS: Final = 16
N_LANES: Final = 4

LANES: Final = (np.uint8(0), np.uint16(0), np.uint32(0), np.uint64(0))
"""A value of the type of each lane, by which the compiled code of that lane is chosen."""

_WIDEST_CODE: Final = 16
"""Codes of a dictionary are unpacked as uint16; a code beyond the last entry means that one."""

_CONTRADICTIONS: Final = (
    "",
    "unknown scheme",
    "width does not suit the scheme",
    "number of exceptions does not suit the scheme",
    "first exception is not at position 0",
    "exceptions are out of order or outside the vector",
    "the dictionary is empty",
    "more exceptions than are stored",
)


class VectorIndex(NamedTuple):
    """What follows from the headers of the vectors, and read-only views of the checked arrays.

    kinds : (v,) uint8
        Scheme and lane, of which each pair has its own machine code: `scheme * N_LANES + log2(lane / 8)`.
    present : tuple of int
        The kinds that occur.
    packed_offsets : (v + 1,) uint64
    vectors, exceptions : tuples of arrays
        In the order in which decoders take them; see `ffor.decode_frames`.
    """

    kinds: NDArray[np.uint8]
    present: tuple[int, ...]
    packed_offsets: NDArray[np.uint64]
    vectors: tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]
    exceptions: tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
    dictionary: NDArray[Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class EncodedIntegers:
    """A column in v vectors of 1024 values, the last of which may be filled up. Its arrays must not change.

    length : int
        Values of the column.
    dtype : dtype
        Signed or unsigned integers. Values are stored as the unsigned type of this size, modulo its range.
    schemes, widths : (v,) uint8
        One of the schemes above, and the bits of a packed code.
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
    def of_views(cls, **arrays: Any) -> EncodedIntegers:
        """As the constructor, for read-only arrays that have the right types and shapes by construction; finds `index`.

        Checking them again takes longer than decoding some vectors.

        Raises
        ------
        ValueError    the arrays contradict each other
        """
        encoded = object.__new__(cls)
        encoded.__dict__.update(arrays)
        encoded.__dict__["index"] = _index(encoded, [arrays[name] for name in _ARRAYS])
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
    def index(self) -> VectorIndex:
        """Where each vector lies.

        Raises
        ------
        ValueError    the arrays contradict each other, so that decoding them would read or write somewhere else
        """
        contradiction = _array_contradiction(self)
        if contradiction:
            raise ValueError(contradiction)
        return _index(self, [_readonly(getattr(self, name)) for name in _ARRAYS])


def check_integers(encoded: EncodedIntegers) -> str | None:
    """Name the first contradiction between the arrays of a column, which may come from anywhere; None if there is none.

    What passes is safe to decode, whatever the packed bytes say: no address outside the arrays follows from them.
    """
    try:
        _ = encoded.index
    except ValueError as problem:
        return str(problem)
    return None


def _index(encoded: EncodedIntegers, arrays: list[NDArray[Any]]) -> VectorIndex:
    """Where the vectors lie in arrays of the right types and shapes; ValueError if those contradict each other."""
    schemes, widths, bases, counts, positions, exceptions, dictionary, packed = arrays
    kinds = np.empty(schemes.size, np.uint8)
    packed_offsets, exception_offsets = np.zeros(schemes.size + 1, np.uint64), np.zeros(schemes.size + 1, np.int64)
    problem, vector, present = _index_vectors(
        schemes, widths, counts, positions, dictionary.size, encoded.dtype.itemsize * 8, kinds, packed_offsets,
        exception_offsets,
    )  # fmt: skip
    if problem:
        raise ValueError(f"{_CONTRADICTIONS[problem]}; vector={vector}")
    if exception_offsets[-1] != exceptions.size:
        raise ValueError(f"vectors count fewer exceptions; got={exception_offsets[-1]} want={exceptions.size}")
    if int(packed_offsets[-1]) + TAIL_BYTES != packed.size:
        raise ValueError(f"packed bytes do not match the widths; got={packed.size} widths={packed_offsets[-1]}")
    return VectorIndex(
        kinds=kinds,
        present=tuple(kind for kind in range(N_SCHEMES * N_LANES) if present >> kind & 1),
        packed_offsets=packed_offsets,
        vectors=(kinds, widths, bases, packed_offsets, packed),
        exceptions=(exception_offsets, positions, exceptions),
        dictionary=dictionary,
    )


def _readonly(array: NDArray[Any]) -> NDArray[Any]:
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def _array_contradiction(encoded: EncodedIntegers) -> str | None:
    if encoded.dtype.kind not in "iu" or not encoded.dtype.isnative:
        return f"values must be integers in native byte order; got={encoded.dtype}"
    if encoded.length < 0:
        return f"length must not be negative; got={encoded.length}"
    unsigned = np.dtype(f"u{encoded.dtype.itemsize}")
    n_vectors = encoded.n_vectors
    n_exceptions = np.size(encoded.exception_positions)
    dtypes = [np.dtype(kind) for kind in ("u1", "u1", unsigned, "u2", "u2", unsigned, unsigned, "u1")]
    sizes = n_vectors, n_vectors, n_vectors, n_vectors, None, n_exceptions, None, None
    for name, dtype, size in zip(_ARRAYS, dtypes, sizes, strict=True):
        array = getattr(encoded, name)
        if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
            return f"{name} must be a one-dimensional array of {dtype}"
        if not (array.flags.c_contiguous and array.flags.aligned):
            return f"{name} must be contiguous and aligned"
        if size not in {None, array.size}:
            return f"{name} has the wrong length; got={array.size} want={size}"
    return None


@kernel(inner=True)
def vector_kind(scheme: Any, width: Any) -> Any:
    """Number of the machine code for a vector; see `VectorIndex`."""
    return scheme * N_LANES + (width > 8) + (width > 16) + (width > 32)


@kernel(inner=True)
def _header_problem(scheme: Any, width: Any, count: Any, n_entries: Any, value_bits: Any) -> int:
    if scheme >= N_SCHEMES:
        return 1
    if scheme == DICTIONARY:
        is_wrong = width < 1 or width > min(value_bits, _WIDEST_CODE)
        return 2 if is_wrong else 3 if count > 0 else 6 if n_entries == 0 else 0
    if width > (0 if scheme == RUNS else value_bits):
        return 2
    return 3 if count > VALUES or (scheme != FRAME and count == 0) else 0


@kernel(inner=True)
def _exception_problem(scheme: Any, positions: Any) -> int:
    if scheme != FRAME and positions.size > 0 and positions[0] != 0:
        return 4
    for e in range(positions.size):
        if positions[e] >= VALUES or (e > 0 and positions[e] <= positions[e - 1]):
            return 5
    return 0


@kernel
def _index_vectors(
    schemes: Any,
    widths: Any,
    counts: Any,
    positions: Any,
    n_entries: Any,
    value_bits: Any,
    kinds: Any,
    packed_offsets: Any,
    exception_offsets: Any,
) -> Any:
    """Fill in the index; the number of a contradiction, or 0, of the vector that has it, and a bit for each kind."""
    present = np.int64(0)
    for v in range(schemes.size):
        width, first, end = np.int64(widths[v]), exception_offsets[v], exception_offsets[v] + np.int64(counts[v])
        problem = _header_problem(schemes[v], width, end - first, n_entries, value_bits)
        if problem == 0:
            problem = 7 if end > positions.size else _exception_problem(schemes[v], positions[first:end])
        if problem != 0:
            return problem, v, present
        kinds[v] = vector_kind(schemes[v], width)
        present |= np.int64(1) << np.int64(kinds[v])
        packed_offsets[v + 1] = packed_offsets[v] + np.uint64(width * ROW_BYTES)
        exception_offsets[v + 1] = end
    return 0, 0, present
