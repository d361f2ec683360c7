"""The functions in every database that this process opens later (DuckDB >= 2.0).

DuckDB 2.0 takes an extension as C function pointers: no file, no signature, loaded by each database as it opens.
Layout and rules are those of its public header duckdb_static_extension.h.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress
from ctypes import c_bool, c_char_p, c_int32, c_uint32, c_void_p
from typing import Any, Final

import _duckdb

from drift_arrow.duckdb_udf import capi
from drift_arrow.duckdb_udf.functions import declare_functions

_MARK: Final = "_drift_arrow_static_extension"


class _Descriptor(ctypes.Structure):
    """`duckdb_extension_descriptor`, layout 1."""

    _fields_ = (
        ("version", c_uint32),
        ("set_error", c_void_p),
        ("internal", c_void_p),
        ("name", c_char_p),
        ("extension_version", c_char_p),
        ("api_version", c_char_p),
        ("entry_cpp", c_void_p),
        ("entry_capi_v1", c_void_p),
        ("entry_capi_v2", c_void_p),
    )


class _Access(ctypes.Structure):
    """`duckdb_extension_access`: what DuckDB hands to the entry point."""

    _fields_ = (
        ("set_error", c_void_p),
        ("get_database", ctypes.CFUNCTYPE(c_void_p, c_void_p)),
        ("get_api", c_void_p),
    )


def _enter(info: int, access: Any) -> bool:
    """Declare the functions to a database that opens.

    Always True: DuckDB turns False into a failure of every `duckdb.connect()` of the process. A database that went
    without is noticed by `register`.
    """
    with suppress(BaseException):
        declare_functions(access.contents.get_database(info))
    return True


_entry = ctypes.CFUNCTYPE(c_bool, c_void_p, ctypes.POINTER(_Access))(_enter)


def _fill_in(descriptor: Any) -> int:
    """Fill in the descriptor; 0 is success."""
    fields = descriptor.contents
    fields.version = 1
    fields.name = b"drift_arrow"
    fields.extension_version = b"1"
    fields.api_version = b"v1.5.6"
    fields.entry_capi_v1 = capi.address_of(_entry)
    return 0


_describe = ctypes.CFUNCTYPE(c_int32, ctypes.POINTER(_Descriptor))(_fill_in)


def install() -> bool:
    """Register the extension, once per process.

    Returns
    -------
    bool
        Whether databases opened from now on have the functions.

    Notes
    -----
    A second describe function under one name makes every later connect fail, and a reload of this module would bring
    one; so the first is remembered on DuckDB's own module, which also keeps its callbacks alive.
    """
    if hasattr(_duckdb, _MARK):
        return True
    if not capi.has_static_extensions():
        return False
    setattr(_duckdb, _MARK, (_describe, _entry))
    return capi.register_static_extension(capi.address_of(_describe))
