"""What frames, deltas and runs would cost for each vector of a column of integers."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bit_lengths import lengths_above, lengths_below, patched_width
from drift_arrow.kernels.delta import MOST_JUMPS, differences
from drift_arrow.kernels.integer_costs import IMPOSSIBLE, DecodeWeights, IntegerCosts
from drift_arrow.kernels.integer_schemes import DELTA, FRAME, N_SCHEMES, POSITION_BITS, RUNS
from drift_arrow.kernels.lanes import VALUES, bit_length
from drift_arrow.kernels.run_length import count_runs

_PROBE: Final = 64
"""Values of a vector that tell whether measuring a scheme is worth the time."""

_PROBE_ERROR: Final = 6
"""How many more values of a sample than of the vector may lead away from a scheme."""


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
def is_constant(values: Any) -> Any:
    """Whether all values of whole vectors are the same; reads no further than to the first vector that tells."""
    kind, first = values.dtype.type, values[0]
    for start in range(0, values.size, VALUES):
        # all of a vector before the first look: a loop without a way out works on many values at once
        vector, found = values[start : start + VALUES], kind(0)
        for i in range(vector.size):
            found |= kind(vector[i] ^ first)
        if found != 0:
            return False
    return True


@kernel(inner=True)
def _count_far(values: Any, base: Any, width: Any) -> Any:
    """How many values of a sample are, less `base`, no shorter than `width`."""
    kind = values.dtype.type
    limit, far = kind(kind(1) << kind(width - 1)), 0
    for i in range(_PROBE):
        far += kind(values[i * (VALUES // _PROBE)] - base) >= limit
    return far


@kernel(inner=True)
def _most_lie_low(vector: Any, width: Any, high: Any, flip: Any) -> Any:
    """Whether a frame that ends at `high` cannot be narrower than `width`, as many values of a sample lie far below."""
    kind = vector.dtype.type
    limit, far = kind(kind(1) << kind(width - 1)), 0
    for i in range(_PROBE):
        far += kind(high - kind(vector[i * (VALUES // _PROBE)] ^ flip)) >= limit
    return far > _PROBE // 4


@kernel(inner=True)
def _most_change(vector: Any, cost: Any, exception_bits: Any) -> Any:
    """Whether so many values of a sample differ from the next that runs cannot cost less than the given bits."""
    step, changes = VALUES // _PROBE, 0
    for i in range(_PROBE):
        changes += vector[i * step] != vector[i * step + 1]
    return (changes - _PROBE_ERROR) * step * exception_bits > cost


@kernel(inner=True)
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


@kernel(inner=True)
def _measure_frame(
    vector: Any, low: Any, high: Any, flip: Any, exception_bits: Any, lengths: Any
) -> Any:  # fmt: skip
    """Base, width, number of exceptions and bits of the cheapest frame of a vector that is not constant."""
    kind = vector.dtype.type
    base, span = kind(low ^ flip), kind(high - low)
    width = needed = bit_length(span)
    count, cost = 0, VALUES * needed
    source, target = np.uint64(vector.ctypes.data), np.uint64(lengths.ctypes.data)
    # of so many exceptions all would cost more than they save
    if (_count_far(vector, base, needed) - _PROBE_ERROR) * exception_bits <= _PROBE * needed:
        lengths_above(source, base, target)
        width, count = patched_width(lengths, needed, exception_bits, np.int64(VALUES))
        cost = VALUES * width + count * exception_bits
    if width > 0 and not _most_lie_low(vector, width, high, flip):
        lengths_below(source, kind(high ^ flip), target)
        top_width, top_count = patched_width(lengths, needed, exception_bits, np.int64(VALUES))
        top_cost = VALUES * top_width + top_count * exception_bits
        if top_cost < cost:
            # below a base that lies so high, what is too low has wrapped around and stands far above it
            base = kind((high ^ flip) - (np.uint64(1) << np.uint64(top_width)) + np.uint64(1))
            width, count, cost = top_width, top_count, top_cost
    return base, width, count, cost


@kernel(inner=True)
def _measure_deltas(vector: Any, sign: Any, exception_bits: Any, jump_bits: Any, scratch: Any, lengths: Any) -> Any:
    """Base, width, number of exceptions and bits of the deltas of a vector."""
    kind = vector.dtype.type
    differences(vector, vector[0], scratch)
    low, high = value_range(scratch[1:], sign)
    base, span = kind(low ^ sign), kind(high - low)
    scratch[0] = base
    width, count = bit_length(span), 0
    if width > 0 and _count_far(scratch, base, width) <= MOST_JUMPS:
        lengths_above(np.uint64(scratch.ctypes.data), base, np.uint64(lengths.ctypes.data))
        width, count = patched_width(lengths, width, exception_bits + jump_bits, np.int64(MOST_JUMPS))
    return base, width, count + 1, VALUES * width + (count + 1) * exception_bits


@kernel
def _measure(
    values: Any,
    start: Any,
    flip: Any,
    jump_bits: Any,
    scratch: Any,
    lengths: Any,
    bits: Any,
    widths: Any,
    bases: Any,
    exceptions: Any,
) -> Any:
    kind, value_bits, total = values.dtype.type, np.int64(values.itemsize * 8), np.int64(0)
    sign, exception_bits = kind(kind(1) << kind(value_bits - 1)), value_bits + POSITION_BITS
    for i in range(values.size // VALUES):
        v = start + i
        for scheme in range(N_SCHEMES):
            bits[v, scheme], widths[v, scheme], exceptions[v, scheme] = IMPOSSIBLE, 0, 0
            bases[v, scheme] = 0
        vector = values[i * VALUES : (i + 1) * VALUES]
        low, high = value_range(vector, flip)
        if low == high:
            bases[v, FRAME], bits[v, FRAME] = low ^ flip, 0
            continue
        base, width, count, cost = _measure_frame(vector, low, high, flip, exception_bits, lengths)
        bases[v, FRAME], widths[v, FRAME], exceptions[v, FRAME], bits[v, FRAME] = base, width, count, cost
        least = cost
        if not _most_change(vector, cost, exception_bits):
            runs = count_runs(vector)
            exceptions[v, RUNS], bits[v, RUNS] = runs, runs * exception_bits
            least = min(least, bits[v, RUNS])
        if width > 0 and _is_steady(vector, width, sign):
            base, width, count, cost = _measure_deltas(vector, sign, exception_bits, jump_bits, scratch, lengths)
            bases[v, DELTA], widths[v, DELTA], exceptions[v, DELTA], bits[v, DELTA] = base, width, count, cost
            least = min(least, cost)
        total += least
    return total


def measure(values: NDArray[Any], start: int, flip: Any, costs: IntegerCosts, weights: DecodeWeights) -> int:
    """Find out what frames, deltas and runs cost.

    Parameters
    ----------
    values : (1024 * m,) unsigned
        Vectors `start` to `start + m` of the column.
    start : int
    flip : scalar of the same type
        Bits to invert so that the unsigned order of the values becomes the order of what they stand for.
    costs : IntegerCosts
        Receives the rows of those vectors; a scheme that is not measured is impossible.
    weights : DecodeWeights

    Returns
    -------
    int
        Bits of all these vectors, each in its cheapest scheme.
    """
    scratch, lengths = np.empty(VALUES, values.dtype), np.empty(VALUES, np.uint8)
    total: int = _measure(values, start, flip, weights.jump_bits, scratch, lengths, *costs)
    return total
