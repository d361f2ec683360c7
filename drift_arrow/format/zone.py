"""A zone map: what a reader may know about the rows of one payload block without reading it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.format.plain import plain_type

_WIDEST_BITS = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Bounds of the rows of one block of a column.

    Parameters
    ----------
    null_count : int
        Rows that are null.
    has_nan : bool
        Whether a row is NaN; bounds do not know it.
    minimum, maximum : pa.Scalar or None
        No row is below or above, nulls and NaN aside; of the type that `bound_type` names. A row need not attain them:
        those of long strings are cut. None where there is no bound.
    """

    null_count: int
    has_nan: bool
    minimum: pa.Scalar | None
    maximum: pa.Scalar | None


def bound_type(kind: pa.DataType) -> pa.DataType | None:
    """Type of the bounds of a column of type `kind`; None if it has none.

    Numbers, booleans, decimals of at most 128 bits, dates, times, timestamps and durations are bounded by their own
    type, strings by strings, binaries by binaries, dictionaries as their values are.
    """
    plain = plain_type(kind)
    if isinstance(plain, pa.BaseExtensionType) or pt.is_null(plain) or pt.is_interval(plain):
        return None
    if pt.is_dictionary(plain):
        return bound_type(plain.value_type)
    if pt.is_string(plain) or pt.is_large_string(plain):
        return pa.string()
    if pt.is_binary(plain) or pt.is_large_binary(plain) or pt.is_fixed_size_binary(plain):
        return pa.binary()
    if pt.is_primitive(plain) or (pt.is_decimal(plain) and plain.bit_width <= _WIDEST_BITS):
        return plain
    return None
