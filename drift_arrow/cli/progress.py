"""Progress bars, on stderr while a person watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from rich.console import Console


def row_progress(target: Console) -> Progress:
    """A bar that counts rows; silent unless a person watches."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows"),
        TaskProgressColumn(show_speed=True),
        TimeElapsedColumn(),
        console=target,
        disable=not target.is_terminal,
    )


def step_progress(target: Console) -> Progress:
    """A bar that counts steps of unequal length; silent unless a person watches."""
    return Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=target,
        disable=not target.is_terminal,
    )
