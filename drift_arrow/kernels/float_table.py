"""Encoded floats as one array: their number, then the address and the length of each array of `EncodedFloats`.

In order: headers, bases, starts, dictionaries, packed, positions, exceptions, lefts, all of them flat.
"""

from __future__ import annotations

from typing import Any, Final

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.float_header import ALP, header_exceptions, header_scheme, packed_bytes
from drift_arrow.kernels.lanes import TAIL_BYTES

N_VALUES: Final = 0
HEADERS: Final = 1
BASES: Final = 3
STARTS: Final = 5
DICTIONARIES: Final = 7
PACKED: Final = 9
POSITIONS: Final = 11
EXCEPTIONS: Final = 13
LEFTS: Final = 15
"""Places of the number and of the addresses; the length of an array stands behind its address."""

TABLE_SIZE: Final = 17
"""Numbers of a table."""


@kernel(inline=True)
def is_inside(header: Any, base: Any, start: Any, table: Any) -> Any:
    """Whether all that a valid header points at lies inside the arrays.

    start : (3 or more,) int64     of the vector; see `locate_vectors`
    """
    n_exceptions = header_exceptions(header)
    n_alp = n_exceptions if header_scheme(header) == ALP else 0
    return (
        start[0] >= 0
        and start[0] + packed_bytes(header, base) + TAIL_BYTES <= table[PACKED + 1]
        and start[1] >= 0
        and start[2] >= 0
        and start[1] + start[2] + n_exceptions <= table[POSITIONS + 1]
        and start[1] + n_alp <= table[EXCEPTIONS + 1]
        and start[2] + n_exceptions - n_alp <= table[LEFTS + 1]
    )
