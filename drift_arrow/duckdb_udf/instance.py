"""The private DuckDB instance that converts between Arrow and DuckDB.

The C API converts only under a connection, which the callbacks of a table function do not have. This instance holds no
data, is opened on first use and is never closed, because vectors that it made may live until the process ends.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass
from functools import cache

import pyarrow as pa

from drift_arrow.duckdb_udf import capi
from drift_arrow.duckdb_udf.gates import Gate, build_gates
from drift_arrow.errors import StorageError

_lock = threading.RLock()


@dataclass(frozen=True, slots=True)
class Instance:
    """Handles of the private instance.

    Parameters
    ----------
    connection : int
        A duckdb_connection.
    options : int
        Its duckdb_arrow_options, for exports.
    release : int
        Address of PyArrow's release callback of exported arrays.
    release_gate : int
        The gate in front of it. Arrow memory may belong to a Python object, whose release needs the interpreter; after
        exit the memory is left to the operating system.
    """

    connection: int
    options: int
    release: int
    release_gate: int


def instance() -> Instance:
    """The one instance of this process.

    Raises
    ------
    StorageError
        DuckDB could not open an in-memory database.
    """
    with _lock:
        return _open()


@cache
def _open() -> Instance:
    """Uncached form of `instance`."""
    connection, options = ctypes.c_void_p(_connect()), ctypes.c_void_p()
    capi.connection_get_arrow_options(connection, ctypes.byref(options))
    release = _release_of_pyarrow()
    gate = Gate(name="release", n_arguments=1, target=release)
    return Instance(connection.value or 0, options.value or 0, release, build_gates([gate])["release"])


def _connect() -> int:
    """A connection to a new in-memory database, with one thread: it runs no query."""
    config, database, connection = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_void_p()
    is_failed = capi.create_config(ctypes.byref(config)) or capi.set_config(config, b"threads", b"1")
    is_failed = is_failed or capi.open_database(None, ctypes.byref(database), config, None)
    capi.destroy("config", config.value)
    if is_failed or capi.connect(database, ctypes.byref(connection)):
        raise StorageError("DuckDB could not open the in-memory database that converts Arrow columns")
    return connection.value or 0


def _release_of_pyarrow() -> int:
    """Address of the function that frees arrays which PyArrow exported; the same for all of them."""
    record = capi.ArrowArray()
    pa.record_batch({"column": pa.nulls(1, pa.int8())})._export_to_c(ctypes.addressof(record))  # noqa: SLF001
    release = int(record.release)
    capi.release(record)
    return release
