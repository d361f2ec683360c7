"""Compression of floats without loss, by ALP or ALP_RD, whichever takes fewer bits."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels._check import check_writable, readonly
from drift_arrow.kernels.encoded_floats import FLOATS, EncodedFloats
from drift_arrow.kernels.float_decode import decode_vectors
from drift_arrow.kernels.float_header import GROUP_VECTORS
from drift_arrow.kernels.float_sink import FloatSink
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.streaming import SCRATCH_BYTES, STREAM_BYTES


def encode_floats(values: NDArray[Any], *, whole_bytes: bool = False) -> EncodedFloats:
    """Compress floats so that every bit of them comes back.

    Parameters
    ----------
    values : (n,) float16, float32 or float64
        Anything: infinities, denormals, and NaN of any bits.
    whole_bytes : bool
        Packs the integers of ALP in 8 or 16 bits where they need no more, for a compressor of bytes that is to follow.

    Returns
    -------
    EncodedFloats
        By vectors, whichever of ALP, ALP_RD and no compression takes the fewest bits; parameters are searched for
        each row-group of 100 vectors.

    Raises
    ------
    ValueError    wrong dtype, shape or layout

    Notes
    -----
    ALP is for decimal fractions, ALP_RD for all other numbers; float16 has ALP_RD only. No vector takes more bits than
    its values but for its header, though the last one is packed as if it had 1024. O(n), without the GIL within a
    row-group.
    """
    dtype = getattr(values, "dtype", None)
    if dtype not in FLOATS:
        raise ValueError(f"values must be float16, float32 or float64; got={dtype}")
    bits = readonly("values", values, dtype, None).view(FLOATS[dtype])
    sink = FloatSink.for_values(bits, whole_bytes=whole_bytes)
    for first in range(0, bits.size, GROUP_VECTORS * VALUES):
        group = bits[first : first + GROUP_VECTORS * VALUES]
        whole = _filled_up(group)
        sink.put(whole, group.size, slice(first // VALUES, (first + whole.size) // VALUES))
    return sink.finish(values.dtype, values.size)


def _filled_up(group: NDArray[Any]) -> NDArray[Any]:
    """Whole vectors; the last is filled up with its last value, so that it stays constant if it is."""
    n_missing = -group.size % VALUES
    if not n_missing:
        return group
    whole = np.empty(group.size + n_missing, group.dtype)
    whole[: group.size], whole[group.size :] = group, group[-1]
    whole.flags.writeable = False
    return whole


def decode_floats(encoded: EncodedFloats, out: NDArray[Any] | None = None, *, streams: bool = False) -> NDArray[Any]:
    """Bring back floats.

    Parameters
    ----------
    encoded : EncodedFloats
    out : (n,) of the dtype of the values, or None
        Where to write them; best at an address that is a multiple of 64. None for a new array.
    streams : bool
        Write past the caches, as is always done with `STREAM_BYTES` or more: if `out` is a part of so much.

    Returns
    -------
    (n,) float16, float32 or float64
        `out`, or the new array.

    Raises
    ------
    ValueError    wrong dtype, shape or layout of `out`, or a damaged vector; `out` is then partly written

    Notes
    -----
    No byte outside the arrays is touched, whatever they say. Without the GIL.
    """
    if encoded.misfit:
        raise ValueError(f"encoded floats are damaged: {encoded.misfit}")
    if out is None:
        out = aligned(encoded.n, encoded.dtype)
    else:
        check_writable("out", out, encoded.dtype, encoded.n)
    n_whole, n_rest = divmod(encoded.n, VALUES)
    streams = streams or out.nbytes >= STREAM_BYTES
    decode_numbered(encoded, encoded.whole_vectors, out[: n_whole * VALUES], streams=streams)
    if not n_rest:
        return out
    rest = np.empty(VALUES, encoded.dtype)
    decode_numbered(encoded, np.array([n_whole]), rest)
    out[-n_rest:] = rest[:n_rest]
    return out


def decode_vector(encoded: EncodedFloats, number: int, out: NDArray[Any]) -> int:
    """Bring back one vector of 1024 floats.

    Parameters
    ----------
    encoded : EncodedFloats
    number : int
        Of the vector: the values from 1024 * number on.
    out : (1024,) of the dtype of the values
        All of it is overwritten, also past the values of the last vector.

    Returns
    -------
    int
        Number of values, 1024 but for the last vector.

    Raises
    ------
    ValueError    no such vector, wrong dtype, shape or layout of `out`, or a damaged vector
    """
    if not 0 <= number < len(encoded.headers):
        raise ValueError(f"there is no such vector; got={number} vectors={len(encoded.headers)}")
    check_writable("out", out, encoded.dtype, VALUES)
    decode_numbered(encoded, np.array([number]), out)
    return min(VALUES, encoded.n - number * VALUES)


def decode_numbered(
    encoded: EncodedFloats, numbers: NDArray[np.int64], out: NDArray[Any], *, streams: bool = False
) -> None:
    """Bring back some vectors, one after the other; trusts all but what is encoded.

    numbers : (m,) int64     of vectors that exist, in any order
    out : (1024 * m,) of the dtype of the values
    streams : bool     as of `decode_floats`

    Raises ValueError at a damaged vector.
    """
    scratch = np.empty(SCRATCH_BYTES if streams else 0, np.uint8)
    damaged = decode_vectors(encoded.table, numbers, streams, scratch, out.view(FLOATS[encoded.dtype], np.ndarray))
    if damaged >= 0:
        raise ValueError(f"encoded floats are damaged: read them again or restore them; vector={damaged}")
