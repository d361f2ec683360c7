"""A DuckDB connection of our own that knows drift_search and drift_scan."""

from __future__ import annotations

from contextlib import closing, contextmanager
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
    return relation.to_arrow_reader()
