"""Arguments of a table function, decoded from DuckDB values."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.duckdb_udf import capi
from drift_arrow.duckdb_udf.converter import value_to_arrow
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

T = TypeVar("T")


def text_argument(info: int, position: int, name: str) -> str:
    """A positional VARCHAR that is not NULL.

    Raises
    ------
    InvalidArgumentError
        It is NULL.
    """
    text = _decoded(capi.bind_get_parameter(info, position), _text)
    if text is None:
        raise InvalidArgumentError(f"argument {position + 1} ({name}) is NULL: give a string")
    return text


def query_argument(info: int, position: int) -> npt.NDArray[np.float32]:
    """The query vector: a LIST or ARRAY of any numeric type, or a BLOB of native float32.

    Returns
    -------
    (dim,) float32

    Raises
    ------
    InvalidArgumentError
        It is NULL, holds a NULL, or is of another type.
    """
    vector = _decoded(capi.bind_get_parameter(info, position), _vector)
    if vector is None:
        raise InvalidArgumentError("the query vector is NULL: give a list of numbers")
    return vector


def named_text(info: int, name: str) -> str | None:
    """A named VARCHAR; None where it is absent or NULL."""
    return _decoded(capi.bind_get_named_parameter(info, name.encode()), _text)


def named_int(info: int, name: str, default: int) -> int:
    """A named BIGINT, or the default where it is absent or NULL."""
    value = _decoded(capi.bind_get_named_parameter(info, name.encode()), capi.get_int64)
    return default if value is None else int(value)


def named_bool(info: int, name: str) -> bool:
    """A named BOOLEAN; False where it is absent or NULL."""
    return bool(_decoded(capi.bind_get_named_parameter(info, name.encode()), capi.get_bool))


def _decoded(value: int | None, decode: Callable[[int], T]) -> T | None:
    """Decode and free a duckdb_value; None for an absent or NULL one."""
    if not value:
        return None
    try:
        return None if capi.is_null_value(value) else decode(value)
    finally:
        capi.destroy("value", value)


def _text(value: int) -> str:
    """A VARCHAR; as a string of C it would end at its first NUL, and a filter would lose its rest."""
    return str(value_to_arrow(value)[0].as_py())


def _vector(value: int) -> npt.NDArray[np.float32]:
    """A query vector from a value of any numeric list type, or BLOB."""
    array = value_to_arrow(value)
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _from_bytes(array[0].as_py())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _from_numbers(array.flatten())
    raise InvalidArgumentError(f"the query is a list or array of numbers, or a BLOB of float32; got={str(kind)!r}")


def _from_bytes(data: bytes) -> npt.NDArray[np.float32]:
    """Float32 values from a BLOB."""
    if len(data) % 4:
        raise InvalidArgumentError(f"the query BLOB holds float32 values of 4 bytes each; bytes={len(data)}")
    return np.array(memoryview(data).cast("f"), np.float32)


def _from_numbers(values: pa.Array) -> npt.NDArray[np.float32]:
    """Float32 values from the elements of a list."""
    if values.null_count:
        position = pc.index(pc.is_null(values), value=True).as_py()
        raise InvalidArgumentError(f"the query vector holds a NULL: give numbers only; position={position}")
    if not len(values):
        return np.empty(0, np.float32)  # an empty list has no element type; the collection names its dimension
    if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)):
        raise InvalidArgumentError(f"the query vector holds numbers; got={str(values.type)!r}")
    return np.asarray(values.cast(pa.float32(), safe=False))
