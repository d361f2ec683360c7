"""Query vectors between NumPy and a SearchRequest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.options import MAX_DIM
from drift_arrow.server.drift_pb2 import PackedVectors, SearchRequest
from drift_arrow.server.tables import decode_table, encode_table

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def put_vectors(request: SearchRequest, query: ArrayLike) -> None:
    """Write one vector (dim,) as packed floats, a batch (n, dim) as an IPC stream.

    Raises
    ------
    InvalidArgumentError
        Not numbers, or not one or two dimensional.
    """
    try:
        vectors = np.asarray(query, dtype=np.float32, order="C")
    except (ValueError, TypeError) as error:
        raise InvalidArgumentError(f"a query is an array of numbers, (dim,) or (n, dim): {error}") from error
    if vectors.ndim not in {1, 2} or vectors.shape[-1] == 0:
        raise InvalidArgumentError(f"a query has the shape (dim,) or (n, dim); shape={vectors.shape}")
    if vectors.ndim == 1:
        request.packed.CopyFrom(PackedVectors(dim=len(vectors), values=vectors))
    else:
        lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
        request.vectors = encode_table(pa.table({"vector": lists}))


def get_vectors(request: SearchRequest) -> np.ndarray:
    """The vectors of a request, (dim,) or (n, dim) float32.

    Raises
    ------
    InvalidArgumentError
        No vectors, lists of different lengths, nulls, or a dimension that does not divide.
    """
    match request.WhichOneof("queries"):
        case "packed":
            return _from_packed(request.packed)
        case "vectors":
            return _from_table(decode_table(request.vectors))
        case _:
            raise InvalidArgumentError("the request has no vectors: set `packed` or `vectors`")


def _from_packed(packed: PackedVectors) -> np.ndarray:
    values = np.array(packed.values, dtype=np.float32)
    if not 0 < packed.dim <= MAX_DIM or len(values) % packed.dim or (len(values) != packed.dim and not packed.batch):
        raise InvalidArgumentError(
            f"packed values are one vector, or with `batch` many; dim={packed.dim} values={len(values)}"
        )
    return values.reshape(-1, packed.dim) if packed.batch else values


def _from_table(table: pa.Table) -> np.ndarray:
    if table.num_columns != 1:
        raise InvalidArgumentError(f"a table of queries has one column, of lists; columns={table.schema.names}")
    column = table.column(0).combine_chunks()
    dim = _list_size(column)
    if column.null_count or column.flatten().null_count:
        raise InvalidArgumentError("a query holds a null")
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False), dtype=np.float32).reshape(-1, dim)


def _list_size(column: pa.Array) -> int:
    kind = column.type
    if pa.types.is_fixed_size_list(kind) and _is_number(kind.value_type) and kind.list_size > 0:
        return int(kind.list_size)
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    lengths = set(column.value_lengths().unique().to_pylist()) if is_list and _is_number(kind.value_type) else set()
    if len(lengths) != 1 or lengths & {None, 0}:
        raise InvalidArgumentError(f"queries are lists of numbers, all of the same length; type={kind}")
    return int(lengths.pop())


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
