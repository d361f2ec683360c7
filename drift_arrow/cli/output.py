"""What commands print: rich tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console
    from rich.table import Table

SHOWN_ITEMS: Final = 4
"""Members of a list that a table cell shows before it counts the rest."""

_ANY_WIDTH: Final = 1 << 20


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr, as those are now; nothing printed is read as markup."""
    from rich.console import Console

    return Console(stderr=stderr, markup=False, highlight=False, emoji=False)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def print_json_rows(rows: Iterable[dict[str, Any]]) -> None:
    """A JSON array on stdout, written row by row so that a long result never has to fit in memory."""
    separator = "["
    for row in rows:
        sys.stdout.write(separator + json.dumps(row, ensure_ascii=False, allow_nan=False))
        separator = ",\n "
    print("[]" if separator == "[" else "]")


def print_rows(names: list[str], rows: Iterable[dict[str, Any]]) -> None:
    """A table on stdout with one line per row."""
    from rich.text import Text

    table = new_table(*names)
    for row in rows:
        table.add_row(*(Text(cell(row[name]), overflow="ellipsis") for name in names))
    print_wide(table)


def print_pairs(pairs: dict[str, Any]) -> None:
    """A two-column table on stdout without a heading."""
    from rich.text import Text

    table = new_table("", "")
    table.show_header = False
    for name, value in pairs.items():
        table.add_row(Text(name), Text(cell(value)))
    print_wide(table)


def print_wide(table: Table) -> None:
    """Print a table at the width of the terminal, or at its own width into a file or pipe, where nothing is cut."""
    target = console()
    if not target.is_terminal:
        target.width = max(target.width, natural_width(table, target))
    target.print(table)


def natural_width(table: Table, target: Console) -> int:
    """Characters that a table needs for nothing to be cut."""
    return target.measure(table, options=target.options.update(width=_ANY_WIDTH)).maximum


def cell(value: Any) -> str:
    """One value, short enough for a table."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        shown = ", ".join(cell(member) for member in value[:SHOWN_ITEMS])
        return f"[{shown}]" if len(value) <= SHOWN_ITEMS else f"[{shown}, … {len(value)} in all]"
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def bytes_text(size: float) -> str:
    """A size for people: 512 B, 3.1 kB, 1.2 MB."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def new_table(*headings: str) -> Table:
    """A table without a frame, its headings underlined."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
