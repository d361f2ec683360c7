"""What each scheme would cost for each vector of a column of integers, in bits."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.delta import MOST_JUMPS, differences
from drift_arrow.kernels.dictionary import Dictionary
from drift_arrow.kernels.encoded_integers import DELTA, DICTIONARY, FRAME, N_SCHEMES, POSITION_BITS, RUNS
from drift_arrow.kernels.ffor import patched_width
from drift_arrow.kernels.lanes import VALUES, bit_length
from drift_arrow.kernels.run_length import count_runs

IMPOSSIBLE: Final = np.int64(1 << 40)
"""Cost of a scheme that does not apply, above that of any that does."""

DECODE_WEIGHTS: Final = np.array([1.0, 1.05, 1.1, 1.1])
"""What a bit of each scheme counts in a comparison: the slower ones must save some bits to be taken."""


_PROBE: Final = 64
"""Values of a vector that tell whether measuring a scheme is worth the time."""


class IntegerPlan(NamedTuple):
    """What each vector is encoded with; fields of `EncodedIntegers`."""

    schemes: NDArray[np.uint8]
    widths: NDArray[np.uint8]
    bases: NDArray[Any]
    exception_counts: NDArray[np.uint16]


class IntegerCosts(NamedTuple):
    """For each vector and scheme: the cost in bits, and what the vector would be encoded with.

    Costs leave out what all schemes store alike: scheme, width, base and number of exceptions.
    """

    bits: NDArray[np.int64]
    widths: NDArray[np.uint8]
    bases: NDArray[Any]
    exceptions: NDArray[np.uint16]

    @classmethod
    def empty(cls, n_vectors: int, dtype: np.dtype[Any]) -> IntegerCosts:
        """Costs of vectors that nothing has been found out about."""
        shape = n_vectors, N_SCHEMES
        bits = np.full(shape, IMPOSSIBLE, np.int64)
        return cls(bits, np.zeros(shape, np.uint8), np.zeros(shape, dtype), np.zeros(shape, np.uint16))

    def cheapest(self) -> IntegerPlan:
        """Scheme of each vector that costs least, the simpler of equals, and what belongs to it."""
        schemes: NDArray[np.uint8] = (self.bits * DECODE_WEIGHTS).argmin(axis=1).astype(np.uint8)
        at = np.arange(schemes.size), schemes
        return IntegerPlan(schemes, self.widths[at], self.bases[at], self.exceptions[at])


@kernel
def value_range(values: Any, flip: Any) -> Any:
    """Smallest and largest of the values with the bits `flip` inverted."""
    # numba computes with 64 bits unless told otherwise, which makes short lanes long ones
    kind = values.dtype.type
    low = high = kind(values[0] ^ flip)
    for i in range(values.size):
        value = kind(values[i] ^ flip)
        low, high = min(low, value), max(high, value)
    return low, high


@kernel
def _subtract(values: Any, base: Any, codes: Any) -> None:
    for i in range(codes.size):
        codes[i] = values[i] - base


@kernel
def _subtract_from(values: Any, top: Any, codes: Any) -> None:
    for i in range(codes.size):
        codes[i] = top - values[i]


@kernel
def _few_lie_low(vector: Any, width: Any, high: Any, flip: Any) -> Any:
    """Whether a frame that ends at `high` may be narrower than `width`, as few values of a sample lie far below."""
    kind = vector.dtype.type
    limit, far = kind(kind(1) << kind(width - 1)), 0
    for i in range(_PROBE):
        far += kind(high - kind(vector[i * (VALUES // _PROBE)] ^ flip)) >= limit
    return far <= _PROBE // 4


@kernel
def _is_steady(vector: Any, width: Any, sign: Any) -> Any:
    """Whether deltas may be narrower than `width`: not where too many of the first ones already spread as far."""
    kind = vector.dtype.type
    low = kind((vector[1] - vector[0]) ^ sign)
    for i in range(1, _PROBE):
        low = min(low, kind((vector[i] - vector[i - 1]) ^ sign))
    limit, far = kind(kind(1) << kind(width - 1)), 0
    for i in range(1, _PROBE):
        far += kind(kind((vector[i] - vector[i - 1]) ^ sign) - low) >= limit
    return far <= MOST_JUMPS


@kernel
def _measure(
    values: Any,
    start: Any,
    flip: Any,
    sign: Any,
    exception_bits: Any,
    scratch: Any,
    bits: Any,
    widths: Any,
    bases: Any,
    exceptions: Any,
) -> None:
    for i in range(values.size // VALUES):
        v = start + i
        vector = values[i * VALUES : (i + 1) * VALUES]
        low, high = value_range(vector, flip)
        bases[v, FRAME] = low ^ flip
        if low == high:
            bits[v, FRAME] = 0
            continue
        _subtract(vector, bases[v, FRAME], scratch)
        width, count = patched_width(scratch, scratch.dtype.type(high - low), exception_bits, np.int64(VALUES))
        widths[v, FRAME], exceptions[v, FRAME] = width, count
        bits[v, FRAME] = VALUES * width + count * exception_bits
        if width > 0 and _few_lie_low(vector, width, high, flip):
            _subtract_from(vector, high ^ flip, scratch)
            top_width, count = patched_width(scratch, scratch.dtype.type(high - low), exception_bits, np.int64(VALUES))
            cost = VALUES * top_width + count * exception_bits
            if cost < bits[v, FRAME]:
                # below a base that lies so high, what is too low has wrapped around and stands far above it
                bases[v, FRAME] = (high ^ flip) - (np.uint64(1) << np.uint64(top_width)) + np.uint64(1)
                widths[v, FRAME], exceptions[v, FRAME], bits[v, FRAME] = top_width, count, cost

        runs = count_runs(vector)
        exceptions[v, RUNS] = runs
        bits[v, RUNS] = runs * exception_bits

        if width == 0 or not _is_steady(vector, width, sign):
            continue
        differences(vector, scratch[0], scratch)
        low, high = value_range(scratch[1:], sign)
        bases[v, DELTA] = low ^ sign
        scratch[0] = bases[v, DELTA]
        _subtract(scratch, bases[v, DELTA], scratch)
        width, count = patched_width(scratch, scratch.dtype.type(high - low), exception_bits, np.int64(MOST_JUMPS))
        widths[v, DELTA], exceptions[v, DELTA] = width, count + 1
        bits[v, DELTA] = VALUES * width + (count + 1) * exception_bits


@kernel
def _measure_codes(codes: Any, bits: Any, widths: Any, bases: Any) -> None:
    for i in range(codes.size // VALUES):
        low, high = value_range(codes[i * VALUES : (i + 1) * VALUES], np.uint16(0))
        width = bit_length(np.uint16(high - low))
        if width > 0:
            bits[i, DICTIONARY] = VALUES * width
            widths[i, DICTIONARY] = width
            bases[i, DICTIONARY] = low


def measure(values: NDArray[Any], start: int, flip: Any, costs: IntegerCosts) -> None:
    """Find out what frames, deltas and runs cost.

    Parameters
    ----------
    values : (1024 * m,) unsigned
        Vectors `start` to `start + m` of the column.
    start : int
    flip : scalar of the same type
        Bits to invert so that the unsigned order of the values becomes the order of what they stand for.
    costs : IntegerCosts
        Receives the rows of those vectors.
    """
    kind, value_bits = values.dtype.type, values.itemsize * 8
    sign = kind(1 << (value_bits - 1))
    _measure(values, start, flip, sign, value_bits + POSITION_BITS, np.zeros(VALUES, kind), *costs)


def measure_codes(codes: NDArray[np.uint16], costs: IntegerCosts) -> None:
    """Find out what the codes of a dictionary cost, without the dictionary. codes : (1024 * v,) for all vectors."""
    _measure_codes(codes, costs.bits, costs.widths, costs.bases)


def dictionary_pays(dictionary: Dictionary, costs: IntegerCosts) -> bool:
    """Whether the vectors for which codes are cheapest save more than the dictionary takes."""
    weighted = costs.bits * DECODE_WEIGHTS
    saved = weighted[:, :DICTIONARY].min(axis=1) - weighted[:, DICTIONARY]
    return bool(np.maximum(saved, 0).sum() > dictionary.entries.nbytes * 8)
