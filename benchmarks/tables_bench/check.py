"""Whether a file gave back the table, whatever the order of its rows and the flavour of its types."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def same_rows(given: pa.Table, found: pa.Table, key: str) -> bool:
    """Whether two tables hold the same rows, which have unique keys; a string view counts as a string."""
    if given.num_rows != found.num_rows or given.schema.names != found.schema.names:
        return False
    order = pc.sort_indices(given[key])
    other = pc.sort_indices(_cast(found[key], given.schema.field(key).type))
    for field in given.schema:
        want = given[field.name].take(order)
        got = _cast(found[field.name], field.type).take(other)
        if not want.equals(got):
            return False
    return True


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    return column if column.type == kind else column.cast(kind)
