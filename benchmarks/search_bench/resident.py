"""Memory of this process, and files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Resident(NamedTuple):
    """Bytes of this process that are in memory: all of them, and those that are pages of mapped files."""

    all: int
    of_files: int


def resident() -> Resident:
    """What is in memory now; zeros where the system does not tell."""
    status = Path("/proc/self/status")
    if not status.exists():
        return Resident(0, 0)
    found = dict(line.split(":", 1) for line in status.read_text().splitlines())
    kilobytes = [int(found[name].split()[0]) for name in ("VmRSS", "RssFile")]
    return Resident(*(number << 10 for number in kilobytes))


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
