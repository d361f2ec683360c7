"""Bytes that this process has written."""

from __future__ import annotations

from pathlib import Path


def written_bytes() -> int:
    """Passed to the system by `write` and its like, whether or not the disk has them yet; 0 where it does not tell."""
    about = Path("/proc/self/io")
    if not about.exists():
        return 0
    found = dict(line.split(": ") for line in about.read_text().splitlines())
    return int(found["wchar"])
