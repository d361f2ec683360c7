"""What each scheme would cost for each vector of a column of integers, in bits."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distinct import Dictionary
from drift_arrow.kernels.integer_schemes import DICTIONARY, N_SCHEMES
from drift_arrow.kernels.lanes import VALUES, bit_length

IMPOSSIBLE: Final = np.int64(1 << 40)
"""Cost of a scheme that does not apply, above that of any that does."""


class DecodeWeights(NamedTuple):
    """What speed is worth in bits: what decodes slower must save some to be taken.

    schemes : (4,) float64     what a bit of each scheme counts in a comparison
    jump_bits : int            what an exception of deltas counts besides its own bits, the first of a vector excepted
    """

    schemes: NDArray[np.float64]
    jump_bits: int


FAST: Final = DecodeWeights(readonly("schemes", np.array([1.0, 1.05, 1.1, 1.1]), np.float64, N_SCHEMES), 128)
"""Deltas take twice the time of a frame, and a jump of them a tenth of the time of a vector."""

SMALL: Final = DecodeWeights(readonly("schemes", np.ones(N_SCHEMES), np.float64, N_SCHEMES), 0)
"""Whatever time it takes."""


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
        """Room for the costs of vectors, of any content."""
        shape = n_vectors, N_SCHEMES
        return cls(
            np.empty(shape, np.int64), np.empty(shape, np.uint8), np.empty(shape, dtype), np.empty(shape, np.uint16)
        )

    def cheapest(self, weights: DecodeWeights) -> IntegerPlan:
        """Scheme of each vector that costs least, the simpler of equals, and what belongs to it."""
        n, dtype = len(self.bits), self.bases.dtype
        plan = IntegerPlan(np.empty(n, np.uint8), np.empty(n, np.uint8), np.empty(n, dtype), np.empty(n, np.uint16))
        _choose(*self, weights.schemes, *plan)
        return plan


@kernel
def _choose(
    bits: Any,
    widths: Any,
    bases: Any,
    exceptions: Any,
    weights: Any,
    schemes: Any,
    chosen_widths: Any,
    chosen_bases: Any,
    exception_counts: Any,
) -> None:
    for v in range(len(bits)):
        scheme = 0
        for other in range(1, N_SCHEMES):
            if bits[v, other] * weights[other] < bits[v, scheme] * weights[scheme]:
                scheme = other
        schemes[v], chosen_widths[v], chosen_bases[v] = scheme, widths[v, scheme], bases[v, scheme]
        exception_counts[v] = exceptions[v, scheme]


@kernel
def _measure_codes(codes: Any, weights: Any, bits: Any, widths: Any, bases: Any) -> Any:
    """Costs of the codes of all vectors, and how many weighted bits they save where they are the cheapest."""
    # numba computes with 64 bits unless told otherwise, which makes short lanes long ones
    kind, saved = codes.dtype.type, 0.0
    for v in range(codes.size // VALUES):
        low = high = codes[v * VALUES]
        for i in range(v * VALUES, (v + 1) * VALUES):
            low, high = kind(min(low, codes[i])), kind(max(high, codes[i]))
        width = bit_length(np.uint16(high - low))
        if width == 0:
            continue
        bits[v, DICTIONARY], widths[v, DICTIONARY], bases[v, DICTIONARY] = VALUES * width, width, low
        least = bits[v, 0] * weights[0]
        for other in range(1, DICTIONARY):
            least = min(least, bits[v, other] * weights[other])
        saved += max(0.0, least - bits[v, DICTIONARY] * weights[DICTIONARY])
    return saved


def measure_codes(dictionary: Dictionary, costs: IntegerCosts, weights: DecodeWeights) -> bool:
    """Find out what the codes of a dictionary, (1024 * v,) for all vectors, cost without it.

    Returns
    -------
    bool
        Whether the vectors for which codes are cheapest save more than the dictionary takes.
    """
    saved = _measure_codes(dictionary.codes, weights.schemes, costs.bits, costs.widths, costs.bases)
    return bool(saved > dictionary.entries.nbytes * 8)
