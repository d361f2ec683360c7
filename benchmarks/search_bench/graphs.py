"""How graphs are built and searched, for every contender that is one."""

from typing import Any, Final

GRAPHS: Final[tuple[dict[str, Any], ...]] = ({"M": 16, "ef_construction": 128}, {"M": 32, "ef_construction": 200})
"""Few links per row, and many."""

BREADTHS: Final = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512)
"""Candidates that a search keeps."""
