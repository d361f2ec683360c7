"""How the command line names a version: a number, a time, or a tag."""

from __future__ import annotations

from datetime import datetime


def parse_version(text: str) -> int | datetime | str:
    """`41`, `2026-03-01T12:00:00+00:00` or `before-import`; a time without a zone is refused by whoever takes it."""
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        # a tag cannot be taken for one: it would have a colon
        return datetime.fromisoformat(text) if ":" in text else text
    except ValueError:
        return text
