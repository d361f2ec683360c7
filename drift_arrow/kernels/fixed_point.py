"""A float query against one bucket, as 16-bit integers.

A row of codes c stands for lo + step * c, so its inner product with a query q is <q, lo> + sum((q * step) * c). The
weights q * step are rounded to int16 with one scale per bucket: multiplying them with uint8 codes and summing in int32
is one instruction per 32 values on today's processors, half of what float32 takes and enough to keep up with memory.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._address import byte_at
from drift_arrow.kernels._jit import kernel

_LARGEST_WEIGHT: Final = 32_767.0
# 255 times the sum of all weights stays below 2**31, with room for 2**16 weights rounded up
_LARGEST_TOTAL: Final = 8_380_000.0


@kernel(reassociate=True)
def _sums(query: Any, lo: Any, step: Any) -> Any:
    """<query, lo> and the sum of |query * step|, in float64."""
    product = 0.0
    total = 0.0
    for j in range(query.size):
        value = np.float64(query[j])
        product += value * np.float64(lo[j])
        total += abs(value * np.float64(step[j]))
    return product, total


@kernel
def _largest(query: Any, step: Any, unit: Any) -> Any:
    """Largest |query * step| in whole units, as an integer, because only then the search for it vectorises."""
    largest = np.int32(0)
    for j in range(query.size):
        largest = max(largest, np.int32(abs(np.float64(query[j]) * np.float64(step[j])) * unit))
    return largest


@kernel
def quantize_query(query: Any, lo: Any, step: Any, weights: Any) -> Any:
    """Write the int16 weights of a query for one bucket; give <query, lo> and the scale of the weights.

    query, lo, step : (dim,) float32
    weights : (dim,) int16, overwritten; |weights| <= 2**15 - 1 and 255 * sum(|weights|) < 2**31

    A weight is off by at most scale / 2, where scale is the larger of max(|q * step|) / 2**15 and
    mean(|q * step|) * dim / 2**23: far below the rounding of the codes themselves, which is step / 2.
    """
    product, total = _sums(query, lo, step)
    if not 0.0 < total < np.inf:
        for j in range(weights.size):
            weights[j] = 0
        return product, 0.0
    units = float(1 << 30) / total
    peak = np.float64(_largest(query, step, units) + 1) / units
    scale = max(peak / _LARGEST_WEIGHT, total / _LARGEST_TOTAL)
    inverse = 1.0 / scale
    for j in range(weights.size):
        weights[j] = np.int16(np.rint(np.float64(query[j]) * np.float64(step[j]) * inverse))
    return product, scale


@kernel
def code_product(address: Any, weights: Any) -> Any:
    """Sum of products of int16 weights with as many uint8 codes at an address; exact, in int32."""
    total = np.int32(0)
    for j in range(weights.size):
        total = np.int32(total + np.int32(byte_at(address, j)) * np.int32(weights[j]))
    return total
