"""Names of the files of a log."""

from __future__ import annotations

import re
from typing import Final

WAL_DIRECTORY: Final = "wal"

SHARED_EPOCH: Final = 0
"""In names of objects: writers that share it want the same names, and so fence each other."""

_NAME: Final = re.compile(r"^wal/([0-9]{10})-([0-9]{10})\.wal$")


def wal_path(writer_epoch: int, number: int) -> str:
    """Path of one WAL file, relative to its collection."""
    return f"{WAL_DIRECTORY}/{writer_epoch:010d}-{number:010d}.wal"


def parse_wal_path(path: str) -> tuple[int, int] | None:
    """Writer epoch and number of a WAL file, or None for any other file."""
    match = _NAME.match(path)
    return (int(match[1]), int(match[2])) if match else None
