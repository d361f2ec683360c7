"""Changes to canonical JSON that keep it canonical, so that the values are looked at and not only the spelling."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from random import Random
from typing import Any

from drift_arrow.format.canonical_json import dump_json
from tests.fuzz.bytes_mutator import mutate_bytes, mutate_number

_OTHERS: list[Any] = [None, True, False, 0, 1, -1, 1.5, 1e300, 2**53 - 1, 2**53, 2**64, "", "x", "\u00e9", [], {}, [[]]]


def mutate_json(text: bytes, random: Random) -> bytes:
    """One member changed, removed or added somewhere in the tree; one time in ten, or if it is no JSON, any bytes."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return mutate_bytes(text, random)
    if random.random() < 0.1:
        return mutate_bytes(text, random)
    try:
        return dump_json(_mutate(value, random))
    except ValueError:  # an infinity
        return mutate_bytes(text, random)


def _mutate(value: Any, random: Random) -> Any:
    if random.random() < 0.1:
        return random.choice(_OTHERS)
    change: Callable[[Any, Random], Any] | None = _CHANGES.get(type(value))
    return random.choice(_OTHERS) if change is None else change(value, random)


def _mutate_object(value: dict[str, Any], random: Random) -> dict[str, Any]:
    if not value or random.random() < 0.05:
        return value | {random.choice(["extra", "offset", ""]): random.choice(_OTHERS)}
    key = random.choice(sorted(value))
    if random.random() < 0.05:
        return {name: member for name, member in value.items() if name != key}
    return value | {key: _mutate(value[key], random)}


def _mutate_array(value: list[Any], random: Random) -> list[Any]:
    if not value:
        return [random.choice(_OTHERS)]
    place = random.randrange(len(value))
    if random.random() < 0.2:
        return value[:place] + value[place + 1 :] if random.random() < 0.5 else [*value, value[place]]
    return [*value[:place], _mutate(value[place], random), *value[place + 1 :]]


def _mutate_text(value: str, random: Random) -> str:
    try:
        raw = base64.b64decode(value, validate=True)
    except ValueError:
        raw = b""
    # only a schema is longer than a digest
    if len(raw) > 64 and random.random() < 0.9:
        return base64.b64encode(mutate_bytes(raw, random)).decode("ascii")
    if value.isdecimal() and random.random() < 0.5:
        return str(mutate_number(int(value), random))
    return mutate_bytes(value.encode("utf-8", "replace"), random).decode("latin-1")


def _mutate_integer(value: int, random: Random) -> int:
    return mutate_number(value, random, 8) if value >= 0 else random.getrandbits(64)


_CHANGES: dict[type, Callable[[Any, Random], Any]] = {
    dict: _mutate_object,
    list: _mutate_array,
    str: _mutate_text,
    int: _mutate_integer,
}
