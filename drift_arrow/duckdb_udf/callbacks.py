"""What DuckDB calls: bind, init, fill and delete of the two table functions.

No exception may leave a callback: each becomes DuckDB's error with our message. DuckDB reaches a callback only through
its gate (gates.py).
"""

from __future__ import annotations

import atexit
import ctypes
from ctypes import c_void_p
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from drift_arrow.duckdb_udf import arguments, capi, handles, readers
from drift_arrow.duckdb_udf.converter import ColumnType, column_type
from drift_arrow.duckdb_udf.cursor import Cursor
from drift_arrow.duckdb_udf.gates import Gate, build_gates
from drift_arrow.duckdb_udf.source import ScanSource, SearchSource, Source
from drift_arrow.errors import DriftError, InvalidArgumentError
from drift_arrow.options import DEFAULT_K

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

ONE_POINTER: Final = ctypes.CFUNCTYPE(None, c_void_p)
TWO_POINTERS: Final = ctypes.CFUNCTYPE(None, c_void_p, c_void_p)


@dataclass(frozen=True, slots=True)
class _Bound:
    """One bound call: what it reads, and how each column enters DuckDB."""

    source: Source
    column_types: list[ColumnType]


def _reporting(report: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Turn what a callback raises into an error that DuckDB is told through `report`."""

    def decorate(callback: Callable[..., None]) -> Callable[..., None]:
        def guarded(info: int, *rest: int) -> None:
            try:
                callback(info, *rest)
            except BaseException as error:  # noqa: BLE001 - one that leaves here would be printed and lost
                report(info, _message(error).encode(errors="replace").replace(b"\0", b" "))

        return guarded

    return decorate


def _message(error: BaseException) -> str:
    """Our own words for our errors, the class as well for others."""
    return str(error) if isinstance(error, DriftError) else f"{type(error).__name__}: {error}"


@_reporting(capi.bind_set_error)
def _bind_search(info: int) -> None:
    """drift_search(uri VARCHAR, query ANY, k := 10, filter := NULL, exact := false)."""
    source = SearchSource.of(
        arguments.text_argument(info, 0, "uri"),
        query=arguments.query_argument(info, 1),
        k=arguments.named_int(info, "k", DEFAULT_K),
        where=arguments.named_text(info, "filter"),
        is_exact=arguments.named_bool(info, "exact"),
    )
    _bind(info, source)


@_reporting(capi.bind_set_error)
def _bind_scan(info: int) -> None:
    """drift_scan(uri VARCHAR)."""
    _bind(info, ScanSource.of(arguments.text_argument(info, 0, "uri")))


def _bind(info: int, source: Source) -> None:
    """Announce the columns of a source, and leave it with DuckDB."""
    column_types = [_field_type(field) for field in source.schema]
    for name, kind in zip(source.schema.names, column_types, strict=True):
        capi.bind_add_result_column(info, name.encode(), kind.logical)
    capi.bind_set_cardinality(info, source.n_rows, False)  # noqa: FBT003 - an estimate, not exact
    capi.bind_set_bind_data(info, handles.keep(_Bound(source, column_types)), GATES["delete"])


def _field_type(field: pa.Field) -> ColumnType:
    """DuckDB's type for a column, or an error that names the column."""
    try:
        return column_type(field.type)
    except InvalidArgumentError as error:
        message = "DuckDB has no type for a column: query this collection from Python"
        raise InvalidArgumentError(
            f"{message}; column={field.name!r} type={str(field.type)!r} cause={error}"
        ) from error


@_reporting(capi.init_set_error)
def _init(info: int) -> None:
    """Start one execution of a bound call over the columns that it needs."""
    bound = cast("_Bound", handles.lookup(capi.init_get_bind_data(info)))
    wanted = [capi.init_get_column_index(info, number) for number in range(capi.init_get_column_count(info))]
    cursor = Cursor(bound.source, bound.column_types, wanted)
    capi.init_set_init_data(info, handles.keep(cursor), GATES["delete"])


@_reporting(capi.function_set_error)
def _fill(info: int, chunk: int) -> None:
    """Give DuckDB the next rows."""
    cast("Cursor", handles.lookup(capi.function_get_init_data(info))).fill(chunk)


_CALLBACKS: Final = {
    "bind_search": ONE_POINTER(_bind_search),
    "bind_scan": ONE_POINTER(_bind_scan),
    "init": ONE_POINTER(_init),
    "fill": TWO_POINTERS(_fill),
    "delete": ONE_POINTER(handles.drop),
}
_REPORTS: Final = {
    "bind_search": capi.bind_set_error,
    "bind_scan": capi.bind_set_error,
    "init": capi.init_set_error,
    "fill": capi.function_set_error,
}


def _gate(name: str) -> Gate:
    """The gate of one callback."""
    return Gate(
        name=name,
        n_arguments=2 if name == "fill" else 1,
        target=capi.address_of(_CALLBACKS[name]),
        report=capi.address_of(_REPORTS[name]) if name in _REPORTS else 0,
    )


def _leave() -> None:
    """Let go of what half-read results hold, while the interpreter still works."""
    handles.drop_all()
    readers.close_all()


# atexit runs the last registration first: the gates, registered next, are shut before anything behind them goes away.
atexit.register(_leave)
GATES: Final = build_gates([_gate(name) for name in _CALLBACKS])
"""Addresses that DuckDB calls."""
