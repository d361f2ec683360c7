"""Copies of frozen objects with other values."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

Frozen = TypeVar("Frozen")


@cache
def _slots(kind: type) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in kind.__slots__}  # type: ignore[attr-defined]


def changed(frozen: Frozen, **values: Any) -> Frozen:
    """As `dataclasses.replace`, in half the time; of a class with slots that has nothing to do after `__init__`."""
    kind: type = type(frozen)
    other: Frozen = object.__new__(kind)
    for name, slot in _slots(kind).items():
        slot.__set__(other, values[name] if name in values else slot.__get__(frozen))
    return other
