"""Python objects that DuckDB holds: it keeps a number in the place of a pointer."""

from __future__ import annotations

import itertools
from typing import Final

_objects: Final[dict[int, object]] = {}
_numbers = itertools.count(1)  # 0 would be a null pointer


def keep(item: object) -> int:
    """Store an object until `drop`; returns its number."""
    number = next(_numbers)
    _objects[number] = item
    return number


def lookup(number: int) -> object:
    """The object of a number that `keep` gave and `drop` has not seen."""
    return _objects[number]


def drop(number: int) -> None:
    """Forget an object; a number that is not known is ignored."""
    _objects.pop(number, None)


def drop_all() -> None:
    """Forget every object, while the interpreter can still run what their deletion runs."""
    _objects.clear()


def count() -> int:
    """How many objects DuckDB holds."""
    return len(_objects)
