"""Wider packed codes than vectors of integers need, for a compressor of bytes that is to follow."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.delta import differences
from drift_arrow.kernels.integer_costs import IntegerPlan
from drift_arrow.kernels.integer_measure import value_range
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY
from drift_arrow.kernels.lanes import VALUES, bit_length
from drift_arrow.kernels.whole_bytes import MOST_BITS, is_within, round_base, whole_width


@kernel(inner=True)
def _count_outside(values: Any, base: Any, width: Any) -> Any:
    kind, count = values.dtype.type, np.int64(0)
    for i in range(values.size):
        count += bit_length(kind(values[i] - base)) > width
    return count


@kernel
def _widen(
    values: Any,
    start: Any,
    flip: Any,
    sign: Any,
    scratch: Any,
    schemes: Any,
    widths: Any,
    bases: Any,
    counts: Any,
) -> None:
    kind, value_bits = values.dtype.type, values.itemsize * 8
    for i in range(values.size // VALUES):
        v = start + i
        scheme, base, needed = schemes[v], bases[v], np.int64(widths[v])
        if not 0 < needed <= MOST_BITS:
            continue
        width = min(whole_width(needed), value_bits)
        vector, turn, known = values[i * VALUES : (i + 1) * VALUES], flip, 0
        if scheme == DELTA:
            differences(vector, base, scratch)
            vector, turn, known = scratch, sign, 1
        low, high = np.uint64(base), np.uint64(base) + (np.uint64(1) << np.uint64(needed)) - np.uint64(1)
        if scheme == DICTIONARY:
            turn = kind(0)
        else:
            least, greatest = value_range(vector[known:], turn)
            low, high = np.uint64(least), np.uint64(greatest)
        widths[v] = width
        if is_within(low, high, width):
            bases[v], counts[v] = kind(round_base(low, high, width)) ^ turn, known
        else:
            counts[v] = known + _count_outside(vector[known:], base, width)


def widen_vectors(values: NDArray[Any], start: int, flip: Any, plan: IntegerPlan) -> None:
    """Give packed codes whole bytes.

    Parameters
    ----------
    values : (1024 * m,) unsigned
        Vectors `start` to `start + m` of the column.
    start : int
    flip : scalar of the same type
        Bits to invert so that the unsigned order of the values becomes the order of what they stand for.
    plan : IntegerPlan
        Of the column; widths, bases and numbers of exceptions of those vectors are replaced.
    """
    kind = values.dtype.type
    sign = kind(1 << (values.itemsize * 8 - 1))
    _widen(values, start, flip, sign, np.empty(VALUES, kind), *plan)
