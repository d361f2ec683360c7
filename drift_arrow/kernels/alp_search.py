"""Exponents for ALP, found on samples in two steps: candidates for a row-group, then one of them for each vector."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numpy.typing import NDArray

from drift_arrow.kernels import _plain_floats as plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp import INVERSES, POWERS, transform
from drift_arrow.kernels.float_header import largest_exponent
from drift_arrow.kernels.lanes import VALUES, advance, fill, lane_vector, load, resize, routine, splat

SAMPLE: Final = 64
"""Values of a sample. The 32 of the paper choose badly on columns with few digits and some outliers."""

SAMPLED_VECTORS: Final = 8
"""Vectors of a row-group that are sampled for candidates."""

CANDIDATES: Final = 5

_POSITION_BITS: Final = 16


@kernel(inline=True)
def exception_bits(item_bits: Any) -> Any:
    """Bits that an exception of ALP takes: its value and its position."""
    return item_bits + _POSITION_BITS


def load_numbers(builder: ir.IRBuilder, address: Any, item_bits: int, lanes: int) -> Any:
    """Vector of float32 or float64."""
    kind = ir.FloatType() if item_bits == 32 else ir.DoubleType()
    return load(builder, address, ir.VectorType(kind, lanes))


def reduce(builder: ir.IRBuilder, operation: str, vector: Any) -> Any:
    """Element that LLVM's `operation` makes of all elements of a vector."""
    kind = vector.type
    signature = ir.FunctionType(kind.element, [kind])
    name = f"llvm.vector.reduce.{operation}.v{kind.count}i{kind.element.width}"
    function = cgutils.get_or_insert_function(builder.module, signature, name)  # type: ignore[no-untyped-call]
    return builder.call(function, [vector])


def narrow_to(builder: ir.IRBuilder, order: str, extreme: Any, codes: Any, is_exception: Any) -> Any:
    """Least ("<") or greatest (">") of the codes so far and those that are no exception, lane by lane."""
    counted = builder.select(is_exception, extreme, codes)
    return builder.select(builder.icmp_signed(order, counted, extreme), counted, extreme)


@routine(plain.alp_cost, types.int64)
def sample_cost(
    builder: ir.IRBuilder,
    kinds: Any,
    source: Any,
    scale: Any,
    shrink: Any,
    factor: Any,
    inverse: Any,
    exception_cost: Any,
    like: Any,  # noqa: ARG001
) -> Any:
    """Bits that the 64 values at `source` take with given 10**e, 10**-f, 10**f and 10**-e."""
    item_bits, lanes = kinds[-1].bitwidth, 16
    if item_bits < 32:  # such values have no candidates
        return ir.Constant(ir.IntType(64), 0)
    scales = [splat(builder, scalar, lanes) for scalar in (scale, shrink, factor, inverse)]
    codes_type = lane_vector(64, lanes)
    least, greatest = fill(codes_type, (1 << 63) - 1), fill(codes_type, -(1 << 63))
    count = fill(codes_type, 0)
    for block in range(SAMPLE // lanes):
        numbers = load_numbers(builder, advance(builder, source, block * lanes * item_bits // 8), item_bits, lanes)
        codes, is_exception = transform(builder, numbers, *scales)
        least = narrow_to(builder, "<", least, codes, is_exception)
        greatest = narrow_to(builder, ">", greatest, codes, is_exception)
        count = builder.add(count, resize(builder, is_exception, 64))
    spread = builder.sub(reduce(builder, "smax", greatest), reduce(builder, "smin", least))
    zeros = builder.ctlz(spread, ir.Constant(ir.IntType(1), 0))
    width = builder.sub(ir.Constant(zeros.type, 64), zeros)
    packed = builder.mul(width, ir.Constant(width.type, SAMPLE))
    return builder.add(packed, builder.mul(reduce(builder, "add", count), exception_cost))


@kernel(inner=True)
def search_sample(source: Any, powers: Any, inverses: Any, item_bits: Any, like: Any) -> Any:
    """Exponent and factor that suit the 64 values at a uint64 address best, and the bits of these.

    Ties go to the larger, but first of all to 0 and 0.
    """
    best, best_exponent, best_factor = np.int64(2**62), 0, 0
    for exponent in range(largest_exponent(item_bits), -1, -1):
        for factor in range(exponent, -1, -1):
            cost = sample_cost(
                source, powers[exponent], inverses[factor], powers[factor], inverses[exponent],
                exception_bits(item_bits), like,
            )  # fmt: skip
            # whole numbers, which many pairs suit alike, need not be scaled at all
            if cost < best or (cost == best and exponent == 0):
                best, best_exponent, best_factor = cost, exponent, factor
    return best_exponent, best_factor, best


@kernel
def _search(samples: Any, powers: Any, inverses: Any, chosen: Any, costs: Any, like: Any) -> None:
    for i in range(len(samples)):
        source = np.uint64(samples.ctypes.data) + np.uint64(i * SAMPLE * samples.itemsize)
        exponent, factor, cost = search_sample(source, powers, inverses, np.int64(samples.itemsize * 8), like)
        chosen[i, 0], chosen[i, 1], costs[i] = exponent, factor, cost


@kernel(inner=True)
def take_sample(source: Any, start: Any, sample: Any) -> None:
    """Copy 64 values from all over the vector at `start`."""
    for i in range(SAMPLE):
        sample[i] = source[start + i * (VALUES // SAMPLE)]


@kernel(inner=True)
def choose_candidate(candidates: Any, powers: Any, inverses: Any, sample: Any, like: Any) -> Any:
    """Number of the candidate that suits a sample best.

    candidates : (c, 2) int64     exponents and factors, likeliest first
    sample : (64,) uint32 or uint64     bits of float32 or float64 values
    """
    if len(candidates) == 1:
        return 0
    address = np.uint64(sample.ctypes.data)
    best, number = np.int64(2**62), 0
    for i in range(len(candidates)):
        exponent, factor = candidates[i, 0], candidates[i, 1]
        cost = sample_cost(
            address, powers[exponent], inverses[factor], powers[factor], inverses[exponent],
            exception_bits(np.int64(sample.itemsize * 8)), like,
        )  # fmt: skip
        if cost < best:
            best, number = cost, i
    return number


def search_group(group: NDArray[Any]) -> tuple[NDArray[np.int64], float, float]:
    """Candidates for the exponents of a row-group.

    Parameters
    ----------
    group : (1024 * v,) uint32 or uint64
        Bits of float32 or float64 values.

    Returns
    -------
    (c, 2) int64
        Exponents and factors, by the number of sampled vectors that want them; c in [0, 5]. Vectors that ALP would
        not make smaller want none.
    float
        Estimated bits of a value.
    float
        The same, of the vectors that ALP makes smaller; infinity if there are none.
    """
    vectors = group.reshape(-1, VALUES)
    step = -(-len(vectors) // SAMPLED_VECTORS)
    samples = np.ascontiguousarray(vectors[::step, :: VALUES // SAMPLE])
    chosen, costs = np.empty((len(samples), 2), np.int64), np.empty(len(samples), np.int64)
    _search(samples, POWERS, INVERSES, chosen, costs, group.dtype.type(0))
    raw = group.itemsize * 8 * SAMPLE
    smaller = [
        (cost, (exponent, factor))
        for cost, (exponent, factor) in zip(costs.tolist(), chosen.tolist(), strict=True)
        if cost < raw
    ]
    if not smaller:
        return np.empty((0, 2), np.int64), raw / SAMPLE, np.inf
    counts = Counter(pair for _, pair in smaller)
    ranked = sorted(counts, key=lambda pair: (-counts[pair], -pair[0], -pair[1]))
    total = sum(cost for cost, _ in smaller)
    bits = (total + raw * (len(samples) - len(smaller))) / samples.size
    return np.array(ranked[:CANDIDATES], np.int64), bits, total / (SAMPLE * len(smaller))
