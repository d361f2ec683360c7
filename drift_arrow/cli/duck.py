"""A DuckDB connection of our own that knows drift_search and drift_scan."""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import chain, count
from typing import TYPE_CHECKING, Any, cast

import duckdb
import pyarrow as pa

from drift_arrow import duckdb_udf
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running(statement: str, values: dict[str, Any] | None = None) -> Iterator[pa.RecordBatchReader]:
    """The result of a statement as a stream of batches, empty if the statement returns none.

    Parameters
    ----------
    statement : str
        Any DuckDB SQL.
    values : dict, optional
        What `$name` stands for in it.

    Raises
    ------
    InvalidArgumentError
        DuckDB refuses the statement; also while the stream is read.
    """
    # Without python_enable_replacements=false the names of our own variables would be tables.
    with closing(duckdb.connect(config={"python_enable_replacements": "false"})) as connection:
        duckdb_udf.register(connection)
        try:
            yield _stream(connection, statement, values)
        except duckdb.Error as error:
            raise InvalidArgumentError(f"DuckDB: {str(error).partition(chr(10))[0]}") from error


def _stream(
    connection: duckdb.DuckDBPyConnection, statement: str, values: dict[str, Any] | None
) -> pa.RecordBatchReader:
    # The stubs do not say that a statement without a result gives None.
    relation = cast("duckdb.DuckDBPyRelation | None", connection.sql(statement, params=values))
    if relation is None:
        return pa.RecordBatchReader.from_batches(pa.schema([]), [])
    return _with_names_of_their_own(relation.to_arrow_reader())


def _with_names_of_their_own(batches: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The stream with `a` and `a_1` for two columns `a`, as DuckDB itself names them in a table made of both."""
    names: list[str] = []
    for name in batches.schema.names:
        free = (f"{name}_{number}" for number in count(1))
        names.append(next(other for other in chain([name], free) if other not in names))
    fields = [field.with_name(name) for field, name in zip(batches.schema, names, strict=True)]
    schema = pa.schema(fields, metadata=batches.schema.metadata)
    renamed = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in batches)
    return pa.RecordBatchReader.from_batches(schema, renamed)
