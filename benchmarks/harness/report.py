"""Aligned tables, and bars that pass or miss."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


def aligned(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lines of a table whose first column stands left and whose others stand right."""
    table = [list(head), *map(list, rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    )


def geometric_mean(values: Sequence[float]) -> float:
    """Geometric mean; nan of nothing."""
    return statistics.geometric_mean(values) if values else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A number that must be reached.

    Parameters
    ----------
    name : str
        What is claimed, with its limit in words.
    value, limit : float
        Found and wanted; nan if there was nothing to measure.
    at_most : bool
        The limit is from above.
    note : str
        The numbers behind it.
    """

    name: str
    value: float
    limit: float
    at_most: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """PASS, MISS, or ``-`` if there was nothing to measure."""
        if self.value != self.value:
            return "-"
        reached = self.value <= self.limit if self.at_most else self.value >= self.limit
        return "PASS" if reached else "MISS"


def bar_table(bars: Iterable[Bar]) -> str:
    """One line per bar."""
    rows = [
        (bar.name, f"{bar.value:.3f}", f"{'<=' if bar.at_most else '>='} {bar.limit:g}", bar.verdict, bar.note)
        for bar in bars
    ]
    return aligned(("bar", "found", "wanted", "", "numbers"), rows)
