"""One dictionary per column: an Arrow file, unlike a stream, cannot replace the first one by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from drift_arrow.errors import LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Iterable


class SharedDictionaries:
    """The values of all dictionaries of some rows, nested ones included, under one numbering.

    Parameters
    ----------
    tables : iterable of pa.Table
        All the rows, of which only the columns `columns_with_dictionaries` are looked at.

    Raises
    ------
    LimitExceededError
        A column has more distinct values than its type can number.
    """

    def __init__(self, tables: Iterable[pa.Table]) -> None:
        self._known: pa.Table | None = None
        for table in tables:
            # No row of it is kept, only the dictionaries.
            self._known = self._unify(table).slice(0, 0)

    def share(self, table: pa.Table) -> pa.Table:
        """The same rows, numbered by the shared dictionaries."""
        columns = columns_with_dictionaries(table.schema)
        if not columns:
            return table
        shared = self._unify(table.select(columns))
        for name in columns:
            place = table.schema.get_field_index(name)
            table = table.set_column(place, table.schema.field(place), shared.column(name))
        return table

    def _unify(self, table: pa.Table) -> pa.Table:
        if self._known is None:
            return _unify(table)
        # Chunks keep their order, and dictionaries theirs: what is known comes first.
        unified = _unify(pa.concat_tables([self._known, table]))
        columns = [
            pa.chunked_array(column.chunks[len(known.chunks) :] or column.chunks, column.type)
            for column, known in zip(unified.columns, self._known.columns, strict=True)
        ]
        return pa.Table.from_arrays(columns, schema=table.schema)


def columns_with_dictionaries(schema: pa.Schema) -> list[str]:
    """Names of the columns in whose type, at any level, there is a dictionary."""
    return [field.name for field in schema if _has_dictionary(field.type)]


def _has_dictionary(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _has_dictionary(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return True
    return any(_has_dictionary(kind.field(number).type) for number in range(kind.num_fields))


def _unify(table: pa.Table) -> pa.Table:
    try:
        return table.unify_dictionaries()
    except pa.ArrowException as error:
        raise LimitExceededError(
            "an Arrow file holds one dictionary per column, and these do not fit into one: use --parquet, or leave the "
            f"column out by --select; cause={error} columns={table.schema.names}"
        ) from error
