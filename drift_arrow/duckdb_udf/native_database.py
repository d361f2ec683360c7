"""The native database behind a Python connection, for connections that are older than the static extension.

The wheel's Python object holds a pointer to a C++ `DuckDBPyConnection`, whose head in every release since 1.3 is

    weak_ptr<self> (16 bytes) | shared_ptr<DuckDB> (16 bytes) | unique_ptr<Connection> (8 bytes)

The shared_ptr has the layout of a C-API duckdb_database. Nothing is assumed: a candidate counts only if its weak_ptr
points at itself, and the Connection leads to a ClientContext that points at itself and names the same DatabaseInstance
as the DuckDB object does. Reads go through /proc/self/mem, where a bad address is an error and not a crash; nothing is
ever written.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_MEMORY: Final = "/proc/self/mem"
_WORD: Final = 8
_OBJECT_WORDS: Final = range(16, 80, _WORD)
"""Offsets into the Python object that may hold the pointer: behind the reference count and the type."""
_CONTEXT_WORDS: Final = range(0, 32, _WORD)
"""Offsets into a Connection that may hold its ClientContext."""
_ADDRESSES: Final = range(4096, 1 << 62, _WORD)
"""What can be a pointer to a structure of C++: aligned, not in the first page, and an offset that pread(2) takes."""


def find_database(connection: object) -> int | None:
    """Address that serves as a duckdb_database for the database of a Python connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Must stay alive and open while the address is used.

    Returns
    -------
    int or None
        None where the operating system has no /proc, or nothing passes every check.
    """
    try:
        file = os.open(_MEMORY, os.O_RDONLY)
    except OSError:
        return None
    try:
        found = set(_candidates(file, id(connection)))
    finally:
        os.close(file)
    return found.pop() if len(found) == 1 else None


def _candidates(file: int, base: int) -> Iterator[int]:
    """Addresses of the shared_ptr<DuckDB> of every structure that passes the checks."""
    for offset in _OBJECT_WORDS:
        with suppress(OSError):
            owner = _pointer(file, base + offset)
            if _pointer(file, owner) != owner:
                continue
            database, connection = _pointer(file, owner + 16), _pointer(file, owner + 32)
            if _has_context(file, connection, instance=_pointer(file, database)):
                yield owner + 16


def _has_context(file: int, connection: int, *, instance: int) -> bool:
    """Whether a Connection holds a ClientContext of this DatabaseInstance."""
    for offset in _CONTEXT_WORDS:
        with suppress(OSError):
            context = _pointer(file, connection + offset)
            if _pointer(file, context) == context and _pointer(file, context + 16) == instance:
                return True
    return False


def _pointer(file: int, address: int) -> int:
    """The aligned pointer at an address; OSError if there is none."""
    data = os.pread(file, _WORD, address)
    value = int.from_bytes(data, "little")
    if len(data) != _WORD or value not in _ADDRESSES:
        raise OSError
    return value
