"""Headers of encoded vectors of floats: what a decoder must know before it touches a packed byte.

A vector of 1024 values has a uint32 header and an int64 base:

==========  =====  ==========  ============  =====================  ==========================  ==================
field       bits   position    CONSTANT      RAW                    ALP                         ALP_RD
==========  =====  ==========  ============  =====================  ==========================  ==================
scheme      2      0           0             1                      2                           3
width       7      2           0             bits of a value        bits of a packed integer    bits of a right part
exponent    6      9           0             0                      e                           bits below the cut
factor      6      15          0             0                      f                           zeros that were cut
exceptions  11     21          0             0                      number of them              number of them
base        64                 the value     0                      least integer               bits of a left code
==========  =====  ==========  ============  =====================  ==========================  ==================
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import ROW_BYTES, VALUES

CONSTANT: Final = 0
RAW: Final = 1
ALP: Final = 2
ALP_RD: Final = 3

SCHEME_NAMES: Final = ("constant", "raw", "alp", "alp_rd")
"""Names of the schemes, by number."""

GROUP_VECTORS: Final = 100
"""Vectors of a row-group, which share candidates for their exponents, or a cut and a dictionary."""

DICTIONARY_SIZE: Final = 8
"""Left parts in the dictionary of a row-group."""

MAX_LEFT_BITS: Final = 16
"""Bits of the longest left part."""

MAX_LEFT_WIDTH: Final = 3
"""Bits of a code of the dictionary."""

CODE_LIMIT: Final = 1 << 51
"""ALP integers are below this in magnitude: to convert them takes no more than an addition to 1.5 * 2**52."""


@kernel(inline=True)
def pack_header(scheme: Any, width: Any, exponent: Any, factor: Any, n_exceptions: Any) -> Any:
    """Header with these fields."""
    return np.uint32(scheme | width << 2 | exponent << 9 | factor << 15 | n_exceptions << 21)


@kernel(inline=True)
def header_scheme(header: Any) -> Any:
    """CONSTANT, RAW, ALP or ALP_RD."""
    return np.int64(header) & 3


@kernel(inline=True)
def header_width(header: Any) -> Any:
    """Bits of a packed integer."""
    return (np.int64(header) >> 2) & 127


@kernel(inline=True)
def header_exponent(header: Any) -> Any:
    """Exponent e of ALP, or the bits below the cut of ALP_RD."""
    return (np.int64(header) >> 9) & 63


@kernel(inline=True)
def header_factor(header: Any) -> Any:
    """Factor f of ALP, or the trailing zeros that ALP_RD has cut off."""
    return (np.int64(header) >> 15) & 63


@kernel(inline=True)
def header_exceptions(header: Any) -> Any:
    """Number of exceptions."""
    return np.int64(header) >> 21


@kernel(inline=True)
def largest_exponent(item_bits: Any) -> Any:
    """Largest e of ALP for values of 32 or 64 bits; -1 where there is no ALP."""
    if item_bits == 64:
        return 18
    return 10 if item_bits == 32 else -1


@kernel(inline=True)
def left_width(header: Any, base: Any) -> Any:
    """Bits of a packed left code."""
    return base if header_scheme(header) == ALP_RD else 0


@kernel(inline=True)
def packed_bytes(header: Any, base: Any) -> Any:
    """Bytes that a vector takes in the packed array."""
    return ROW_BYTES * (header_width(header) + left_width(header, base))


@kernel(inner=True)
def is_valid_header(header: Any, base: Any, item_bits: Any) -> Any:
    """Whether the fields are ones that a decoder of `item_bits`-bit values may follow."""
    scheme, width = header_scheme(header), header_width(header)
    exponent, factor, n_exceptions = header_exponent(header), header_factor(header), header_exceptions(header)
    if n_exceptions > VALUES:
        return False
    if scheme == ALP:
        is_base = -CODE_LIMIT <= base < CODE_LIMIT
        return is_base and factor <= exponent <= largest_exponent(item_bits) and width <= item_bits
    if scheme == ALP_RD:
        left_bits = item_bits - exponent
        is_cut = 1 <= left_bits <= MAX_LEFT_BITS and 0 <= base <= MAX_LEFT_WIDTH
        return is_cut and width + factor <= exponent
    if exponent != 0 or factor != 0 or n_exceptions != 0:
        return False
    if scheme == RAW:
        return width == item_bits and base == 0
    return width == 0 and (item_bits == 64 or 0 <= base < np.int64(1) << item_bits)


@kernel
def locate_vectors(headers: Any, bases: Any, starts: Any) -> None:
    """Where each vector begins, and the last one ends.

    headers, bases : (v,) uint32, int64
    starts : (v + 1, 3) int64, overwritten: packed byte, exception of ALP, exception of ALP_RD
    """
    byte = alp = alp_rd = np.int64(0)
    for i in range(len(headers)):
        starts[i, 0], starts[i, 1], starts[i, 2] = byte, alp, alp_rd
        byte += packed_bytes(headers[i], bases[i])
        if header_scheme(headers[i]) == ALP:
            alp += header_exceptions(headers[i])
        else:
            alp_rd += header_exceptions(headers[i])
    last = len(headers)
    starts[last, 0], starts[last, 1], starts[last, 2] = byte, alp, alp_rd
