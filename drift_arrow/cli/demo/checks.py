"""Claims of the demo, printed as they are tested."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(slots=True)
class Checks:
    """Prints each claim with a mark, and remembers the claims that did not hold."""

    console: Console
    failed: list[str] = field(default_factory=list)

    def expect(self, claim: str, *, holds: bool) -> None:
        """Print a claim; keep it if it does not hold."""
        if not holds:
            self.failed.append(claim)
        self.console.print(f"{'✓' if holds else '✗'} {claim}", style=None if holds else "bold red")
