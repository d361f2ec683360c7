"""Giving the table functions to a connection."""

from __future__ import annotations

import threading
from typing import Final

import duckdb

from drift_arrow.duckdb_udf import static_extension
from drift_arrow.duckdb_udf.functions import declare_functions
from drift_arrow.duckdb_udf.native_database import find_database
from drift_arrow.errors import InvalidArgumentError

_REMEDY: Final = "import drift_arrow.duckdb_udf before duckdb.connect()"
_lock = threading.Lock()


def register(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Make `drift_search` and `drift_scan` known to the database of a connection.

    Parameters
    ----------
    con : duckdb.DuckDBPyConnection
        Open. Its transaction and its pending result are left alone.

    Returns
    -------
    duckdb.DuckDBPyConnection
        The same connection.

    Raises
    ------
    InvalidArgumentError
        Not an open connection, or one whose native database cannot be found (possible only if it was opened before
        this package was imported, or with DuckDB < 2.0).

    Notes
    -----
    Registering twice does nothing. A transaction that is open already does not see the functions until it ends.

    Examples
    --------
    >>> con = register(duckdb.connect())
    >>> hits = con.sql("FROM drift_search('./data/docs', $q, k := 5)", params={"q": query})  # doctest: +SKIP
    """
    if not isinstance(con, duckdb.DuckDBPyConnection):
        raise InvalidArgumentError(
            f"register takes a DuckDB connection: call duckdb.connect(); got={type(con).__name__}"
        )
    with _lock:
        if not _is_registered(con):
            _declare(con)
    return con


def _is_registered(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the functions bind, tried on a cursor, which shares the database but neither transaction nor result."""
    try:
        with con.cursor() as cursor:
            cursor.execute("SELECT 1 FROM drift_scan(NULL)")
    except duckdb.CatalogException:
        return False
    except duckdb.ConnectionException as error:
        raise InvalidArgumentError(f"the DuckDB connection is closed: open another; cause={error}") from error
    except duckdb.Error:
        return True  # it was found, and refused the NULL
    return True


def _declare(con: duckdb.DuckDBPyConnection) -> None:
    """Register through the native database of a connection."""
    database = find_database(con)
    if database is None:
        raise InvalidArgumentError(f"the native database of the connection was not found: {_REMEDY}")
    if not declare_functions(database):
        raise InvalidArgumentError(f"DuckDB refused the functions: {_REMEDY}; duckdb={duckdb.__version__}")


static_extension.install()
