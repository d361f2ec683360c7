"""Columns of integers, encoded vector by vector in the cheapest of four schemes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels.delta import decode_deltas
from drift_arrow.kernels.dictionary import build_dictionary, decode_codes
from drift_arrow.kernels.distinct import Dictionary
from drift_arrow.kernels.encoded_integers import DICTIONARY, FRAME, LANES, N_LANES, RUNS, EncodedIntegers
from drift_arrow.kernels.ffor import decode_frames
from drift_arrow.kernels.integer_costs import DECODE_WEIGHTS, IMPOSSIBLE, IntegerCosts, measure_codes
from drift_arrow.kernels.integer_encode import Parts, pack_vectors
from drift_arrow.kernels.integer_measure import measure
from drift_arrow.kernels.integer_widths import widen_vectors
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.run_length import decode_runs

_LEAST_BITS: Final = 2
"""Bits of a value below which the other schemes leave too little for a dictionary to save."""


def encode_integers(values: NDArray[Any], *, whole_bytes: bool = False) -> EncodedIntegers:
    """Encode a column.

    Parameters
    ----------
    values : (n,) signed or unsigned integers of 8, 16, 32 or 64 bits
    whole_bytes : bool
        Packs codes in 8 or 16 bits where they need no more, for a compressor of bytes that is to follow.

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
    if dtype is None or dtype.kind not in "iu" or not dtype.isnative:
        raise ValueError(f"values must be integers in native byte order; got={dtype or type(values)}")
    bits = readonly("values", values, dtype, None).view(f"u{dtype.itemsize}")
    flip = bits.dtype.type(1 << (dtype.itemsize * 8 - 1) if dtype.kind == "i" else 0)
    parts = _in_vectors(bits)
    costs = IntegerCosts.empty(-(-bits.size // VALUES), bits.dtype)
    total = sum(measure(part, start, flip, costs) for start, part in parts)
    dictionary = _try_dictionary(parts, flip, total, costs)
    plan = costs.cheapest()
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


def _try_dictionary(parts: Parts, flip: Any, total: int, costs: IntegerCosts) -> Dictionary | None:
    """Dictionary of the column if it pays; costs then hold those of its codes."""
    bits = total / max(1, VALUES * len(costs.bits))
    if bits < _LEAST_BITS:
        return None
    values = parts[0][1] if len(parts) == 1 else np.concatenate([part for _, part in parts])
    # a dictionary whose codes save less than their weight cannot pay
    dictionary = build_dictionary(values, flip, bits / DECODE_WEIGHTS[DICTIONARY])
    if dictionary is None or measure_codes(dictionary, costs):
        return dictionary
    costs.bits[:, DICTIONARY] = IMPOSSIBLE
    return None


def decode_integers(encoded: EncodedIntegers, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Decode a column.

    Parameters
    ----------
    encoded : EncodedIntegers
    out : (length,) of the dtype of the column, optional
        Receives the values, fastest at an address that is a multiple of 64.

    Returns
    -------
    (length,) of the dtype of the column
        `out`, or a new array.

    Raises
    ------
    ValueError    `out` does not fit, or a contradiction that `check_integers` names

    Notes
    -----
    O(n), without the GIL. Machine code is compiled on first use for each pair of scheme and lane that occurs.
    """
    index = encoded.index
    if out is None:
        out = aligned(encoded.length, encoded.dtype)
        bits = out.view(encoded.bases.dtype)
    else:
        check_writable("out", out, encoded.dtype, encoded.length)
        bits = out.view(encoded.bases.dtype, np.ndarray)
    whole = encoded.length // VALUES
    if whole:
        decode_kinds(encoded, index.present, 0, bits[: whole * VALUES])
    if whole < encoded.n_vectors:
        decode_vector(encoded, whole, out[whole * VALUES :])
    return out


def decode_vector(encoded: EncodedIntegers, number: int, out: NDArray[Any]) -> NDArray[Any]:
    """Decode one vector.

    Parameters
    ----------
    encoded : EncodedIntegers
    number : int
        Of the vector, which holds the values from `1024 * number` on.
    out : (1024,) of the dtype of the column, or shorter for the last vector
        Receives the values.

    Returns
    -------
    `out`

    Raises
    ------
    ValueError    no such vector, `out` does not fit, or a contradiction that `check_integers` names
    """
    index = encoded.index
    if not 0 <= number < encoded.n_vectors:
        raise ValueError(f"number must be that of a vector; got={number} vectors={encoded.n_vectors}")
    size = min(VALUES, encoded.length - number * VALUES)
    check_writable("out", out, encoded.dtype, size)
    bits = out.view(encoded.bases.dtype, np.ndarray)
    present = (int(index.kinds[number]),)
    if size == VALUES:
        decode_kinds(encoded, present, number, bits)
    else:
        # decoders write whole vectors
        vector = np.empty(VALUES, bits.dtype)
        decode_kinds(encoded, present, number, vector)
        bits[:] = vector[:size]
    return out


def decode_kinds(encoded: EncodedIntegers, present: tuple[int, ...], start: int, values: NDArray[Any]) -> None:
    """Decode whole vectors from number `start` on, of which those of other kinds than `present` are left out."""
    index = encoded.index
    for kind in present:
        scheme, lane = kind // N_LANES, LANES[kind % N_LANES]
        if scheme == RUNS:
            decode_runs(kind, start, index.kinds, *index.exceptions, values)
        elif scheme == DICTIONARY:
            scratch = np.empty(VALUES, np.uint16)
            decode_codes(kind, start, *index.vectors, index.dictionary, scratch, lane, values)
        else:
            decode = decode_frames if scheme == FRAME else decode_deltas
            decode(kind, start, *index.vectors, *index.exceptions, lane, values)
