"""A float query against one bucket, as 16-bit integers.

A row of codes c stands for lo + step * c, so its inner product with a query q is <q, lo> + sum((q * step) * c). The
weights q * step are rounded to int16 with one scale per bucket. Multiplied with uint8 codes and summed in int32 they
keep up with memory, which float32 does not: converting the codes alone takes as many instructions.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.code_block import BLOCK_WINDOW, LOW_BITS
from drift_arrow.kernels.code_product import WINDOW

# of two signed bytes, the high one in units of 128
_LARGEST_WEIGHT: Final = 127.0 * 128 + 63
# 255 times the sum of all weights stays below 2**31, with room for 2**16 weights rounded up
_LARGEST_TOTAL: Final = 8_380_000.0
_HALF: Final = 1 << LOW_BITS >> 1
_PEAK_UNITS: Final = float(1 << 30)
_MEAN_CODE: Final = 127.5
# of a number that is uniform over a step of 1
_VARIANCE: Final = 1 / 12


@kernel(reassociate=True, inner=True)
def _sums(query: Any, lo: Any, step: Any) -> Any:
    """<query, lo + step * 127.5>, and the sums of |query * step| and of its square, in float64."""
    product = 0.0
    total = 0.0
    squares = 0.0
    for j in range(query.size):
        value = np.float64(query[j])
        weight = value * np.float64(step[j])
        product += value * np.float64(lo[j]) + weight * _MEAN_CODE
        total += abs(weight)
        squares += weight * weight
    return product, total, squares


@kernel(inner=True)
def _largest(query: Any, step: Any, unit: Any) -> Any:
    """Largest |query * step| in whole units, as an integer, because only then the search for it vectorises."""
    largest = np.int32(0)
    for j in range(query.size):
        largest = max(largest, np.int32(abs(np.float64(query[j]) * np.float64(step[j])) * unit))
    return largest


@kernel
def _round(query: Any, step: Any, inverse: Any, weights: Any) -> Any:
    """Write round(query * step * inverse) and give the sum."""
    total = np.int32(0)
    for j in range(query.size):
        weight = np.int16(np.rint(np.float64(query[j]) * np.float64(step[j]) * inverse))
        weights[j] = weight
        total = np.int32(total + weight)
    return total


@kernel(inner=True)
def quantize_query(query: Any, lo: Any, step: Any, weights: Any) -> Any:
    """Write the weights of a query for one bucket; give (constant, scale, deviation).

    query, lo, step : (dim,) float32
    weights : (weights_size(dim),) int16
        For `code_product`. The values that the last window skips must be 0 and stay so.

    The inner product of the query with a row is `constant + scale * code_product`. A weight is off by at most half a
    scale, times the distance of the code from the middle, 127.5; scale is the larger of max(|q * step|) / 2**14 and
    mean(|q * step|) * dim / 2**23. That is small beside the rounding of the codes themselves, half of |q * step|, whose
    sum over all dimensions has the given standard deviation.
    """
    product, total, squares = _sums(query, lo, step)
    scale = 0.0
    inverse = 0.0
    if 0.0 < total < np.inf:
        peak = np.float64(_largest(query, step, _PEAK_UNITS / total) + 1) * (total / _PEAK_UNITS)
        scale = max(peak / _LARGEST_WEIGHT, total / _LARGEST_TOTAL)
        inverse = 1.0 / scale
    whole = query.size // WINDOW * WINDOW
    shift = weights.size - query.size
    sum_of_weights = _round(query[:whole], step[:whole], inverse, weights[:whole])
    sum_of_weights += _round(query[whole:], step[whole:], inverse, weights[whole + shift :])
    return product - scale * _MEAN_CODE * np.float64(sum_of_weights), scale, np.sqrt(squares * _VARIANCE)


@kernel(inner=True)
def split_weights(weights: Any, dim: Any, planes: Any) -> None:
    """Cut the weights of `quantize_query` in high and low bytes, as `code_block.block_products` wants them.

    planes : (2, block_size(dim)) int8
        Values that its last window skips must be 0 and stay so.
    """
    size = planes.shape[1]
    whole, block_whole = dim // WINDOW * WINDOW, dim // BLOCK_WINDOW * BLOCK_WINDOW
    shift, block_shift = weights.size - dim, size - dim
    for j in range(block_whole):
        high = (weights[j] + _HALF) >> LOW_BITS
        planes[0, j], planes[1, j] = high, weights[j] - (high << LOW_BITS)
    for j in range(block_whole, dim):
        weight = weights[j if j < whole else j + shift]
        high = (weight + _HALF) >> LOW_BITS
        planes[0, j + block_shift], planes[1, j + block_shift] = high, weight - (high << LOW_BITS)
