"""The functions of DuckDB's C API v1 that the surface calls, as ctypes prototypes.

The `duckdb` wheel exports the whole C API from its extension module, so no compiler and no header is needed. v1 has
been a fixed ABI since DuckDB 1.5.6; everything named here exists since 1.4. Handles are plain addresses: int, or None
for a null pointer.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_int64, c_uint64, c_void_p
from typing import TYPE_CHECKING, Any, Final

import _duckdb

if TYPE_CHECKING:
    from collections.abc import Callable

# Calls that may wait for a lock of the database give up the GIL: its holder may be a thread that waits for the GIL to
# enter one of our callbacks. All others keep it, which is cheaper and serialises the use of the converter connection.
_blocking = ctypes.CDLL(_duckdb.__file__)
_quick = ctypes.PyDLL(_duckdb.__file__)

_OUT: Final = POINTER(c_void_p)

TYPE_BIGINT: Final = 5
TYPE_BOOLEAN: Final = 1
TYPE_VARCHAR: Final = 17
TYPE_ANY: Final = 34
"""Numbers of `enum DUCKDB_TYPE` that a parameter is declared with."""


class ArrowArray(ctypes.Structure):
    """`struct ArrowArray` of the Arrow C data interface."""

    _fields_ = (
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class ArrowSchema(ctypes.Structure):
    """`struct ArrowSchema` of the Arrow C data interface."""

    _fields_ = (
        ("format", c_void_p),
        ("name", c_void_p),
        ("metadata", c_void_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


def _prototype(
    name: str, result: type[Any] | None, *arguments: type[Any], library: ctypes.CDLL = _quick
) -> Callable[..., Any]:
    """The exported function duckdb_<name> with its C types."""
    function = getattr(library, f"duckdb_{name}")
    function.restype = result
    function.argtypes = arguments
    return function  # type: ignore[no-any-return]


def address_of(function: object) -> int:
    """Address of a C function or ctypes callback."""
    return ctypes.cast(function, c_void_p).value or 0  # type: ignore[arg-type]


def destroy(kind: str, handle: int | None) -> None:
    """Free a handle with duckdb_destroy_<kind>; None is ignored."""
    if handle:
        _DESTROY[kind](byref(c_void_p(handle)))


def release(record: ArrowArray | ArrowSchema) -> None:
    """Call the release callback of an Arrow structure that nobody took over."""
    if record.release:
        _RELEASE(record.release)(ctypes.addressof(record))


_RELEASE: Final = ctypes.PYFUNCTYPE(None, c_void_p)
_DESTROY: Final = {
    kind: _prototype(f"destroy_{kind}", None, _OUT)
    for kind in (
        "arrow_converted_schema",
        "config",
        "data_chunk",
        "error_data",
        "logical_type",
        "table_function",
        "value",
    )
}

# databases and connections
create_config = _prototype("create_config", c_int, _OUT)
set_config = _prototype("set_config", c_int, c_void_p, c_char_p, c_char_p)
open_database = _prototype("open_ext", c_int, c_char_p, _OUT, c_void_p, POINTER(c_void_p), library=_blocking)
connect = _prototype("connect", c_int, c_void_p, _OUT, library=_blocking)
disconnect = _prototype("disconnect", None, _OUT, library=_blocking)
connection_get_arrow_options = _prototype("connection_get_arrow_options", None, c_void_p, _OUT)


def has_static_extensions() -> bool:
    """Whether this DuckDB takes extensions as function pointers (2.0 and later)."""
    return hasattr(_blocking, "duckdb_register_static_extension")


def register_static_extension(describe: int) -> bool:
    """Offer an extension by the address of its describe function; whether DuckDB took it."""
    return bool(_prototype("register_static_extension", c_int, c_void_p, library=_blocking)(describe) == 0)


# table functions
create_table_function = _prototype("create_table_function", c_void_p)
table_function_set_name = _prototype("table_function_set_name", None, c_void_p, c_char_p)
table_function_add_parameter = _prototype("table_function_add_parameter", None, c_void_p, c_void_p)
table_function_add_named_parameter = _prototype(
    "table_function_add_named_parameter", None, c_void_p, c_char_p, c_void_p
)
table_function_set_bind = _prototype("table_function_set_bind", None, c_void_p, c_void_p)
table_function_set_init = _prototype("table_function_set_init", None, c_void_p, c_void_p)
table_function_set_function = _prototype("table_function_set_function", None, c_void_p, c_void_p)
table_function_supports_projection_pushdown = _prototype(
    "table_function_supports_projection_pushdown", None, c_void_p, c_bool
)
register_table_function = _prototype("register_table_function", c_int, c_void_p, c_void_p, library=_blocking)

# bind, init, function
bind_get_parameter = _prototype("bind_get_parameter", c_void_p, c_void_p, c_uint64)
bind_get_named_parameter = _prototype("bind_get_named_parameter", c_void_p, c_void_p, c_char_p)
bind_add_result_column = _prototype("bind_add_result_column", None, c_void_p, c_char_p, c_void_p)
bind_set_bind_data = _prototype("bind_set_bind_data", None, c_void_p, c_void_p, c_void_p)
bind_set_cardinality = _prototype("bind_set_cardinality", None, c_void_p, c_uint64, c_bool)
bind_set_error = _prototype("bind_set_error", None, c_void_p, c_char_p)
init_get_bind_data = _prototype("init_get_bind_data", c_void_p, c_void_p)
init_get_column_count = _prototype("init_get_column_count", c_uint64, c_void_p)
init_get_column_index = _prototype("init_get_column_index", c_uint64, c_void_p, c_uint64)
init_set_init_data = _prototype("init_set_init_data", None, c_void_p, c_void_p, c_void_p)
init_set_error = _prototype("init_set_error", None, c_void_p, c_char_p)
function_get_init_data = _prototype("function_get_init_data", c_void_p, c_void_p)
function_set_error = _prototype("function_set_error", None, c_void_p, c_char_p)

# values, types, vectors, chunks
create_logical_type = _prototype("create_logical_type", c_void_p, c_int)
get_value_type = _prototype("get_value_type", c_void_p, c_void_p)
is_null_value = _prototype("is_null_value", c_bool, c_void_p)
get_int64 = _prototype("get_int64", c_int64, c_void_p)
get_bool = _prototype("get_bool", c_bool, c_void_p)
vector_size = _prototype("vector_size", c_uint64)
vector_get_column_type = _prototype("vector_get_column_type", c_void_p, c_void_p)
vector_reference_value = _prototype("vector_reference_value", None, c_void_p, c_void_p)
vector_reference_vector = _prototype("vector_reference_vector", None, c_void_p, c_void_p)
create_data_chunk = _prototype("create_data_chunk", c_void_p, _OUT, c_uint64)
data_chunk_get_vector = _prototype("data_chunk_get_vector", c_void_p, c_void_p, c_uint64)
data_chunk_set_size = _prototype("data_chunk_set_size", None, c_void_p, c_uint64)

# Arrow
_ARRAY, _SCHEMA = POINTER(ArrowArray), POINTER(ArrowSchema)
schema_from_arrow = _prototype("schema_from_arrow", c_void_p, c_void_p, _SCHEMA, _OUT)
data_chunk_from_arrow = _prototype("data_chunk_from_arrow", c_void_p, c_void_p, _ARRAY, c_void_p, _OUT)
to_arrow_schema = _prototype("to_arrow_schema", c_void_p, c_void_p, _OUT, POINTER(c_char_p), c_uint64, _SCHEMA)
data_chunk_to_arrow = _prototype("data_chunk_to_arrow", c_void_p, c_void_p, c_void_p, _ARRAY)
error_data_message = _prototype("error_data_message", c_char_p, c_void_p)
