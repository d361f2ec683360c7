"""How graphs are built and searched, for every contender that is one."""

from typing import Any, Final

_MANY_ROWS: Final = 500_000
_BOTH: Final[tuple[dict[str, Any], ...]] = ({"M": 16, "ef_construction": 128}, {"M": 32, "ef_construction": 200})
_BETWEEN: Final[dict[str, Any]] = {"M": 24, "ef_construction": 160}

BREADTHS: Final = (10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 384, 512)
"""Candidates that a search keeps."""


def graphs(n_rows: int) -> list[dict[str, Any]]:
    """Few links per row, and many; of many rows, which take long, one graph between them."""
    return [_BETWEEN] if n_rows > _MANY_ROWS else list(_BOTH)
