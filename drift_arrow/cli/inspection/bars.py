"""Bars of characters, for those who would rather look than read."""

from __future__ import annotations

import sys
from typing import Final

_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
BAR_CELLS: Final = 8


def bar(share: float, cells: int = BAR_CELLS) -> str:
    """A bar that fills `cells` characters at a share of 1 or more; of `#` where the output cannot hold blocks."""
    eighths = round(min(max(share, 0.0), 1.0) * 8 * cells)
    try:
        _EIGHTHS.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return ("#" * round(eighths / 8)).ljust(cells)
    whole, rest = divmod(eighths, 8)
    return (_EIGHTHS[8] * whole + (_EIGHTHS[rest] if rest else "")).ljust(cells)
