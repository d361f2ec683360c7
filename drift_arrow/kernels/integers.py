"""Columns of integers, encoded vector by vector in the cheapest of four schemes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels.delta import decode_deltas
from drift_arrow.kernels.dictionary import build_dictionary, decode_codes
from drift_arrow.kernels.distinct import Dictionary
from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.ffor import decode_frames
from drift_arrow.kernels.integer_costs import FAST, IMPOSSIBLE, DecodeWeights, IntegerCosts, measure_codes
from drift_arrow.kernels.integer_encode import Parts, pack_vectors, repeat_value
from drift_arrow.kernels.integer_measure import is_constant, measure
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME, LANES, N_LANES, RUNS
from drift_arrow.kernels.integer_table import STRIDE, VECTORS, IntegerTable
from drift_arrow.kernels.integer_widths import widen_vectors
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.run_length import decode_runs
from drift_arrow.kernels.streaming import SCRATCH_BYTES, STREAM_BYTES

_UNSIGNED: Final = MappingProxyType({size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)})
_FLIPS: Final[Mapping[Any, Any]] = MappingProxyType(
    {
        **{dtype: dtype.type(0) for dtype in _UNSIGNED.values()},
        **{np.dtype(f"i{size}"): dtype.type(1 << (8 * size - 1)) for size, dtype in _UNSIGNED.items()},
    }
)
"""For each type, the bits that make the unsigned order of its values the order of what they stand for."""

_DECODERS: Final[Mapping[int, Callable[..., None]]] = MappingProxyType(
    {FRAME: decode_frames, DELTA: decode_deltas, DICTIONARY: decode_codes}
)

_LEAST_BITS: Final = 2
"""Bits of a value below which the other schemes leave too little for a dictionary to save."""


def encode_integers(
    values: NDArray[Any], *, whole_bytes: bool = False, weights: DecodeWeights = FAST
) -> EncodedIntegers:
    """Encode a column.

    Parameters
    ----------
    values : (n,) signed or unsigned integers of 8, 16, 32 or 64 bits
    whole_bytes : bool
        Packs codes in 8 or 16 bits where they need no more, for a compressor of bytes that is to follow.
    weights : DecodeWeights
        How many bits speed is worth.

    Returns
    -------
    EncodedIntegers
        In new arrays.

    Raises
    ------
    ValueError    not a contiguous array of integers in native byte order

    Notes
    -----
    Each vector of 1024 values takes the scheme that costs the fewest bits, as `integer_costs` counts and weighs them.
    O(n), without the GIL; a dictionary is tried where a sample repeats itself and the other schemes leave many bits.
    """
    dtype = getattr(values, "dtype", None)
    if dtype is None or dtype not in _FLIPS:
        raise ValueError(f"values must be integers in native byte order; got={dtype or type(values)}")
    flip = _FLIPS[dtype]
    bits = readonly("values", values, dtype, None).view(flip.dtype)
    if bits.size and is_constant(bits):
        return repeat_value(bits.size, dtype, bits[0])
    parts = _in_vectors(bits)
    costs, total = IntegerCosts.empty(-(-bits.size // VALUES), bits.dtype), 0
    for start, part in parts:
        total += measure(part, start, flip, costs, weights)
    dictionary = _try_dictionary(parts, flip, total, costs, weights)
    plan = costs.cheapest(weights)
    if whole_bytes:
        for start, part in parts:
            widen_vectors(part, start, flip, plan)
    return pack_vectors(bits.size, dtype, parts, plan, dictionary)


def _in_vectors(values: NDArray[Any]) -> Parts:
    """Whole vectors with the number of the first of them; the last vector is filled up with its last value."""
    whole = values.size // VALUES * VALUES
    parts = [(0, values[:whole])] if whole else []
    if whole < values.size:
        rest = np.full(VALUES, values[-1])
        rest[: values.size - whole] = values[whole:]
        rest.flags.writeable = False
        parts.append((whole // VALUES, rest))
    return parts


def _try_dictionary(
    parts: Parts, flip: Any, total: int, costs: IntegerCosts, weights: DecodeWeights
) -> Dictionary | None:
    """Dictionary of the column if it pays; costs then hold those of its codes."""
    bits = total / max(1, VALUES * len(costs.bits))
    if bits < _LEAST_BITS:
        return None
    values = parts[0][1] if len(parts) == 1 else np.concatenate([part for _, part in parts])
    # a dictionary whose codes save less than their weight cannot pay
    dictionary = build_dictionary(values, flip, bits / weights.schemes[DICTIONARY])
    if dictionary is None or measure_codes(dictionary, costs, weights):
        return dictionary
    costs.bits[:, DICTIONARY] = IMPOSSIBLE
    return None


def decode_integers(encoded: EncodedIntegers, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode a column, as `decode_table` does its table; ValueError also for what `check_integers` names."""
    return decode_table(encoded.table, out)


def decode_table(table: IntegerTable, out: NDArray[Any] | None = None, *, streams: bool = False) -> NDArray[Any]:
    """Decode a column.

    Parameters
    ----------
    table : IntegerTable
    out : (length,) of the dtype of the column, optional
        Receives the values, fastest at an address that is a multiple of 64.
    streams : bool
        Write past the caches, as is always done with `STREAM_BYTES` or more: if `out` is a part of so much.

    Returns
    -------
    (length,) of the dtype of the column
        `out`, or a new array.

    Raises
    ------
    ValueError    `out` does not fit

    Notes
    -----
    O(n), without the GIL. Machine code is compiled on first use for each pair of scheme and lane that occurs.
    """
    unsigned = _UNSIGNED[table.dtype.itemsize]
    if out is None:
        bits = aligned(table.length, unsigned)
        out = bits if table.dtype == unsigned else bits.view(table.dtype)
    else:
        check_writable("out", out, table.dtype, table.length)
        bits = out.view(unsigned, np.ndarray)
    whole = table.length // VALUES
    if whole:
        decode_kinds(table, table.present, 0, bits[: whole * VALUES], streams=streams or bits.nbytes >= STREAM_BYTES)
    if whole < table.n_vectors:
        decode_vector(table, whole, out[whole * VALUES :])
    return out


def decode_vector(table: IntegerTable, number: int, out: NDArray[Any]) -> NDArray[Any]:
    """Decode one vector.

    Parameters
    ----------
    table : IntegerTable
    number : int
        Of the vector, which holds the values from `1024 * number` on.
    out : (1024,) of the dtype of the column, or shorter for the last vector
        Receives the values.

    Returns
    -------
    `out`

    Raises
    ------
    ValueError    no such vector, or `out` does not fit
    """
    if not 0 <= number < table.n_vectors:
        raise ValueError(f"number must be that of a vector; got={number} vectors={table.n_vectors}")
    size = min(VALUES, table.length - number * VALUES)
    check_writable("out", out, table.dtype, size)
    bits = out.view(_UNSIGNED[table.dtype.itemsize], np.ndarray)
    present = (int(table.numbers[VECTORS + STRIDE * number]),)
    if size == VALUES:
        decode_kinds(table, present, number, bits)
    else:
        # decoders write whole vectors
        vector = np.empty(VALUES, bits.dtype)
        decode_kinds(table, present, number, vector)
        bits[:] = vector[:size]
    return out


def decode_kinds(
    table: IntegerTable, present: tuple[int, ...], start: int, values: NDArray[Any], *, streams: bool = False
) -> None:
    """Decode whole vectors from number `start` on, of which those of other kinds than `present` are left out."""
    scratch = np.empty(SCRATCH_BYTES, np.uint8)
    for kind in present:
        scheme, lane = kind // N_LANES, LANES[kind % N_LANES]
        if scheme == RUNS:
            decode_runs(kind, start, table.numbers, streams, scratch, values)
        else:
            _DECODERS[scheme](kind, start, table.numbers, lane, streams, scratch, values)
