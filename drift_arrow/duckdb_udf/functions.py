"""The two table functions, declared to one database."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Final

from drift_arrow.duckdb_udf import capi
from drift_arrow.duckdb_udf.callbacks import GATES

_SEARCH_OPTIONS: Final = (("k", capi.TYPE_BIGINT), ("filter", capi.TYPE_VARCHAR), ("exact", capi.TYPE_BOOLEAN))


def declare_functions(database: int) -> bool:
    """Register `drift_search` and `drift_scan` with a database.

    Parameters
    ----------
    database : int
        A duckdb_database.

    Returns
    -------
    bool
        Whether DuckDB accepted both.

    Notes
    -----
    A connection of its own is used: one of the user's would make the functions part of his open transaction, and lose
    them with its rollback.
    """
    connection = ctypes.c_void_p()
    if capi.connect(database, ctypes.byref(connection)):
        return False
    try:
        # ANY, because DuckDB hands list literals over as lists of decimals and casts no DOUBLE[] to FLOAT[] by itself.
        is_search = _declare(
            connection, "drift_search", "bind_search", (capi.TYPE_VARCHAR, capi.TYPE_ANY), _SEARCH_OPTIONS
        )
        return _declare(connection, "drift_scan", "bind_scan", (capi.TYPE_VARCHAR,), ()) and is_search
    finally:
        capi.disconnect(ctypes.byref(connection))


def _declare(
    connection: ctypes.c_void_p,
    name: str,
    bind: str,
    parameters: tuple[int, ...],
    options: tuple[tuple[str, int], ...],
) -> bool:
    """Register one table function; whether DuckDB accepted it."""
    function = capi.create_table_function()
    try:
        capi.table_function_set_name(function, name.encode())
        for kind in parameters:
            capi.table_function_add_parameter(function, _logical_type(kind))
        for option, kind in options:
            capi.table_function_add_named_parameter(function, option.encode(), _logical_type(kind))
        capi.table_function_set_bind(function, GATES[bind])
        capi.table_function_set_init(function, GATES["init"])
        capi.table_function_set_function(function, GATES["fill"])
        capi.table_function_supports_projection_pushdown(function, True)  # noqa: FBT003
        return not capi.register_table_function(connection, function)
    finally:
        capi.destroy("table_function", function)


@cache
def _logical_type(kind: int) -> int:
    """A duckdb_logical_type by its number; the four in use are never freed."""
    return int(capi.create_logical_type(kind))
