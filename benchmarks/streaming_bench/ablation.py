"""Further runs of drift with other options, to see what a mechanism is worth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

OURS: Final = "drift"


def variant_name(name: str) -> str:
    """Of a run of drift with other options, among the contenders."""
    return f"{OURS} {name}"


def is_ours(contender: str) -> bool:
    """Whether it is a run of drift."""
    return contender.split(" ", 1)[0] == OURS


def options_of(given: Sequence[str]) -> dict[str, Any]:
    """Options from ``name=value``, whose values are JSON.

    Raises
    ------
    ValueError    one has no value, or one that is not JSON
    """
    pairs = [one.split("=", 1) for one in given]
    for pair in pairs:
        if len(pair) != 2:
            raise ValueError(f"got={pair[0]!r}")
    return {name: json.loads(value) for name, value in pairs}
