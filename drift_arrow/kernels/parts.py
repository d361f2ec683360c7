"""Work over a range of rows, in parts that nothing but speed depends on: the engine may give them to threads."""

from __future__ import annotations

from collections.abc import Callable

Work = Callable[[int, int], None]
"""Does the rows [start, stop), and touches nothing that belongs to other rows."""

RunParts = Callable[[Work, int, int], None]
"""Runs some work over n rows, in parts of so many rows; returns when all are done, and raises what a part raised."""


def run_parts(work: Work, n_rows: int, part_rows: int) -> None:
    """One part after the other, by the calling thread."""
    for start in range(0, n_rows, part_rows):
        work(start, min(start + part_rows, n_rows))
