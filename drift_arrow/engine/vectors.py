"""Vector columns: Arrow lists to matrices and back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def vector_array(matrix: NDArray[np.generic], kind: pa.DataType) -> pa.FixedSizeListArray:
    """A contiguous (n, dim) matrix as an Arrow column of type `kind`, without a copy."""
    values = pa.array(np.ascontiguousarray(matrix).reshape(-1), type=kind.value_type)
    return pa.FixedSizeListArray.from_arrays(values, type=kind)


def as_vector_column(column: pa.ChunkedArray, kind: pa.DataType, name: str) -> pa.FixedSizeListArray:
    """One FixedSizeList array of type `kind` from any list of numbers.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        FixedSizeList, List or LargeList of a number type, or an extension type over one of them.
    kind : pyarrow.FixedSizeListType
        The collection's vector type.
    name : str
        Of the column, for messages.

    Raises
    ------
    InvalidArgumentError
        A null vector, a null element, a wrong dimension, or a type that is no list of numbers; the row is named.
    """
    array = column.combine_chunks()
    if isinstance(array.type, pa.ExtensionType):
        array = array.storage
    if array.null_count:
        row = int(np.flatnonzero(np.asarray(array.is_null()))[0])
        message = f"a vector is null: drop the row or give it a vector; column={name!r} row={row}"
        raise InvalidArgumentError(message)
    _check_lengths(array, kind.list_size, name)
    values = array.flatten()
    if values.null_count:
        row = int(np.flatnonzero(np.asarray(values.is_null()))[0]) // kind.list_size
        message = f"a vector has a null element; column={name!r} row={row}"
        raise InvalidArgumentError(message)
    if not _is_number(values.type):
        message = f"a vector is a list of numbers; column={name!r} type={array.type}"
        raise InvalidArgumentError(message)
    return pa.FixedSizeListArray.from_arrays(_cast(values, kind.value_type), type=kind)


def as_matrix(array: pa.FixedSizeListArray) -> NDArray[np.float32]:
    """The (n, dim) float32 matrix of a vector column without nulls; a view when its values are float32."""
    values = array.flatten().to_numpy(zero_copy_only=True)
    # a float64 beyond float32 becomes infinite here and is refused by the check for finite values that follows
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32).reshape(len(array), array.type.list_size)


def as_queries(query: object, dim: int) -> tuple[NDArray[np.float32], bool]:
    """Query vectors as (n, dim) float32, and whether the caller gave a batch.

    Raises
    ------
    InvalidArgumentError
        Not numbers, wrong dimension, NaN or infinity.

    Notes
    -----
    Of NumPy arrays a copy: whoever asks may write into them before the search runs.
    """
    if isinstance(query, np.ndarray) and query.dtype == np.float32 and query.shape == (dim,) and _is_finite(query):
        # what nearly all searches are given
        return query.copy().reshape(1, dim), False
    if isinstance(query, pa.FixedSizeListArray | pa.ListArray | pa.LargeListArray | pa.ChunkedArray):
        column = query if isinstance(query, pa.ChunkedArray) else pa.chunked_array([query])
        queries = as_matrix(as_vector_column(column, pa.list_(pa.float32(), dim), "query"))
    else:
        queries = _copied(query)
    if queries.ndim not in (1, 2) or queries.shape[-1] != dim:
        message = f"the query has the wrong dimension; got={queries.shape} dim={dim}"
        raise InvalidArgumentError(message)
    if not np.isfinite(queries).all():
        message = "the query holds NaN or infinity"
        raise InvalidArgumentError(message)
    return queries.reshape(-1, dim), queries.ndim == 2


def _copied(query: object) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            return np.array(query, dtype=np.float32, order="C")
    except (TypeError, ValueError) as error:
        message = f"a query is a vector of numbers, or a 2-D array of them; got={type(query).__name__}"
        raise InvalidArgumentError(message) from error


def _is_finite(row: NDArray[np.float32]) -> bool:
    """Whether all values are finite; may say no where they are large."""
    return math.isfinite(row.dot(row))


def _check_lengths(array: pa.Array, dim: int, name: str) -> None:
    kind = array.type
    if pa.types.is_fixed_size_list(kind):
        if kind.list_size != dim:
            message = f"vectors have the wrong dimension; column={name!r} got={kind.list_size} dim={dim}"
            raise InvalidArgumentError(message)
        return
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        message = f"a vector column is a list of numbers; column={name!r} type={kind}"
        raise InvalidArgumentError(message)
    wrong = np.flatnonzero(np.asarray(pc.list_value_length(array)) != dim)
    if len(wrong):
        row = int(wrong[0])
        got = pc.list_value_length(array)[row].as_py()
        message = f"a vector has the wrong dimension; column={name!r} row={row} got={got} dim={dim}"
        raise InvalidArgumentError(message)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _cast(values: pa.Array, kind: pa.DataType) -> pa.Array:
    if values.type == kind:
        return values
    target = np.dtype(kind.to_pandas_dtype())
    # Arrow's cast is checked for integers only; a narrowed float is what a narrower column asks for
    with np.errstate(over="ignore"):
        return pa.array(values.to_numpy(zero_copy_only=True).astype(target), type=kind)
