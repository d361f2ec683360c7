"""Exponents for ALP, found on samples in two steps: candidates for a row-group, then one of them for each vector."""

from __future__ import annotations

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

_FIRST: Final = 16

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


def _emit_cost(size: int) -> Any:
    def emit(
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
        item_bits, lanes = kinds[-1].bitwidth, 16
        if item_bits < 32:  # such values have no candidates
            return ir.Constant(ir.IntType(64), 0)
        scales = [splat(builder, scalar, lanes) for scalar in (scale, shrink, factor, inverse)]
        codes_type = lane_vector(64, lanes)
        least, greatest = fill(codes_type, (1 << 63) - 1), fill(codes_type, -(1 << 63))
        count = fill(codes_type, 0)
        for block in range(size // lanes):
            numbers = load_numbers(builder, advance(builder, source, block * lanes * item_bits // 8), item_bits, lanes)
            codes, is_exception = transform(builder, numbers, *scales)
            least = narrow_to(builder, "<", least, codes, is_exception)
            greatest = narrow_to(builder, ">", greatest, codes, is_exception)
            count = builder.add(count, resize(builder, is_exception, 64))
        highest, lowest = reduce(builder, "smax", greatest), reduce(builder, "smin", least)
        spread = builder.sub(highest, lowest)
        # of exceptions alone nothing is packed
        spread = builder.select(builder.icmp_signed("<", highest, lowest), ir.Constant(spread.type, 0), spread)
        zeros = builder.ctlz(spread, ir.Constant(ir.IntType(1), 0))
        width = builder.sub(ir.Constant(zeros.type, 64), zeros)
        packed = builder.mul(width, ir.Constant(width.type, SAMPLE))
        return builder.add(packed, builder.mul(reduce(builder, "add", count), exception_cost))

    return emit


sample_cost: Any = routine(plain.alp_cost, types.int64)(_emit_cost(SAMPLE))
"""Bits that the 64 values at `source` take with given 10**e, 10**-f, 10**f and 10**-e.

Arguments: source (uint64 address), the four powers (float64), bits of an exception (int64), and any uint32 or uint64,
the type of the bits of the values.
"""

_least_cost: Any = routine(plain.alp_least_cost, types.int64)(_emit_cost(_FIRST))
"""Bits that these values take at least, as the first 16 of them show."""


@kernel(inner=True)
def search_sample(source: Any, powers: Any, inverses: Any, item_bits: Any, like: Any) -> Any:
    """Exponent and factor that suit the 64 values at a uint64 address best, and the bits of these.

    Ties go to the larger, but first of all to 0 and 0.
    """
    best, best_exponent, best_factor = np.int64(2**62), 0, 0
    for exponent in range(largest_exponent(item_bits), -1, -1):
        for factor in range(exponent, -1, -1):
            scales = powers[exponent], inverses[factor], powers[factor], inverses[exponent]
            # most pairs fail at the first few values
            if _least_cost(source, *scales, exception_bits(item_bits), like) > best:
                continue
            cost = sample_cost(source, *scales, exception_bits(item_bits), like)
            # whole numbers, which many pairs suit alike, need not be scaled at all
            if cost < best or (cost == best and exponent == 0):
                best, best_exponent, best_factor = cost, exponent, factor
    return best_exponent, best_factor, best


@kernel
def _search(source: Any, step: Any, powers: Any, inverses: Any, like: Any, sample: Any, found: Any) -> Any:
    """Search every `step`-th vector; number of candidates, of searched vectors, of those that get smaller, their bits.

    source : (1024 * v,) uint32 or uint64     bits of float32 or float64 values
    sample : (64,) like source, scratch
    found : (8, 3) int64, overwritten     exponent, factor and number of vectors of each candidate, not yet in order
    """
    item_bits = np.int64(source.itemsize * 8)
    candidates = searched = smaller = total = np.int64(0)
    for start in range(0, source.size, step * VALUES):
        take_sample(source, start, sample)
        exponent, factor, cost = search_sample(np.uint64(sample.ctypes.data), powers, inverses, item_bits, like)
        searched += 1
        if cost >= item_bits * SAMPLE:
            continue
        smaller, total = smaller + 1, total + cost
        place = np.int64(0)
        while place < candidates and (found[place, 0] != exponent or found[place, 1] != factor):
            place += 1
        if place == candidates:
            found[place, 0], found[place, 1], found[place, 2] = exponent, factor, 0
            candidates += 1
        found[place, 2] += 1
    return candidates, searched, smaller, total


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
    step = -(-group.size // VALUES // SAMPLED_VECTORS)
    sample, found = np.empty(SAMPLE, group.dtype), np.empty((SAMPLED_VECTORS, 3), np.int64)
    n, searched, smaller, total = _search(group, step, POWERS, INVERSES, group.dtype.type(0), sample, found)
    raw = group.itemsize * 8
    if not smaller:
        return np.empty((0, 2), np.int64), float(raw), np.inf
    ranked = sorted(found[:n].tolist(), key=lambda pair: (-pair[2], -pair[0], -pair[1]))
    bits = (total / SAMPLE + raw * (searched - smaller)) / searched
    return np.array(ranked, np.int64)[:CANDIDATES, :2].copy(), bits, total / (SAMPLE * smaller)
