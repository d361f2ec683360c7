"""Arrow tables as rows of plain Python values that JSON can hold."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


def plain_rows(batch: pa.RecordBatch | pa.Table) -> list[dict[str, Any]]:
    """One dict per row; see `plain_value` for what becomes of values that JSON lacks."""
    columns = [_readable_column(column).to_pylist() for column in batch.columns]
    names = batch.schema.names
    return [dict(zip(names, (plain_value(value) for value in row), strict=True)) for row in zip(*columns, strict=True)]


def plain_value(value: Any) -> Any:
    """A JSON value: bytes become base64, NaN and infinities null, times and decimals text."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, dict):
        return {str(key): plain_value(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(member) for member in value]
    return str(value)


def plain_scalar(value: pa.Scalar) -> Any:
    """One value of a column as `plain_rows` has it."""
    import pyarrow as pa

    return plain_value(_readable_column(pa.array([value], value.type)).to_pylist()[0])


def _readable_column(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Times as text: Python's own have no nanoseconds, and `to_pylist` refuses to round."""
    import pyarrow as pa

    if pa.types.is_duration(column.type):
        return column.cast(pa.int64())
    if pa.types.is_temporal(column.type) and not pa.types.is_interval(column.type):
        return column.cast(pa.string())
    return column


def iterate_rows(batches: pa.RecordBatchReader | pa.Table) -> Iterator[dict[str, Any]]:
    """Rows of a stream of batches, one batch in memory at a time."""
    import pyarrow as pa

    for batch in batches.to_batches() if isinstance(batches, pa.Table) else batches:
        yield from plain_rows(batch)
