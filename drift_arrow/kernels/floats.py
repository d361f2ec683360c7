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
        n_vectors = -(-group.size // VALUES)
        # the last vector is filled up with its last value, so that it stays constant if it is
        whole = group if group.size % VALUES == 0 else np.pad(group, (0, n_vectors * VALUES - group.size), mode="edge")
        whole.flags.writeable = False
        sink.put(whole, group.size, slice(first // VALUES, first // VALUES + n_vectors))
    return sink.finish(values.dtype, values.size)


def decode_floats(encoded: EncodedFloats, out: NDArray[Any] | None = None) -> NDArray[Any]:
    """Bring back floats.

    Parameters
    ----------
    encoded : EncodedFloats
    out : (n,) of the dtype of the values, or None
        Where to write them; best at an address that is a multiple of 64. None for a new array.

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
    if not n_rest:
        decode_numbered(encoded, encoded.whole_vectors, out)
        return out
    decode_numbered(encoded, encoded.whole_vectors, out[: n_whole * VALUES])
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


def decode_numbered(encoded: EncodedFloats, numbers: NDArray[np.int64], out: NDArray[Any]) -> None:
    """Bring back some vectors, one after the other; trusts all but what is encoded.

    numbers : (m,) int64     of vectors that exist, in any order
    out : (1024 * m,) of the dtype of the values

    Raises ValueError at a damaged vector.
    """
    damaged = decode_vectors(encoded.table, numbers, out.view(FLOATS[encoded.dtype], np.ndarray))
    if damaged >= 0:
        raise ValueError(f"encoded floats are damaged: read them again or restore them; vector={damaged}")
