"""Canonical JSON, and typed access to objects that were read from it.

Canonical means: ASCII, sorted keys, no spaces, no NaN, integers up to 2**53 - 1. One value has exactly one spelling, so
that a reader refuses duplicate keys and every other ambiguity by writing the value again.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import FORMAT_VERSION, MAX_SAFE_INTEGER, Buffer


def dump_json(value: object) -> bytes:
    """The canonical spelling of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    return text.encode("ascii")


def load_json(data: Buffer, limit: int, *, path: str, offset: int) -> Fields:
    """Read one canonical JSON object from bytes whose checksum was verified.

    Parameters
    ----------
    data : buffer
    limit : int
        Most bytes; checked before parsing.
    path, offset : str, int
        Location of the first byte, for errors.

    Raises
    ------
    CorruptionError
        Too long, no JSON, not canonical (duplicate keys included), or not an object.
    """
    raw = byte_view(data)
    if len(raw) > limit:
        raise CorruptionError(f"JSON is too long; size_bytes={len(raw)} limit={limit}", path=path, offset=offset)
    try:
        value = json.loads(str(raw, "ascii"))
        is_canonical = dump_json(value) == raw
    # ValueError covers syntax, encoding, NaN and integers of thousands of digits
    except (ValueError, RecursionError) as err:
        raise CorruptionError(f"not JSON; cause={type(err).__name__}", path=path, offset=offset) from err
    if not is_canonical:
        raise CorruptionError("JSON is not in its canonical form", path=path, offset=offset)
    return Fields(value, path, offset)


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of a file; every accessor raises CorruptionError on a missing key or a wrong value.

    Parameters
    ----------
    value : object
        What the JSON parser returned; must be a dict.
    path, offset : str, int
        Location of the JSON, for errors.
    """

    value: Any
    path: str
    offset: int

    def __post_init__(self) -> None:
        if not isinstance(self.value, dict):
            raise self.error("is no JSON object")

    def error(self, problem: str) -> CorruptionError:
        """A CorruptionError at the location of this object."""
        return CorruptionError(f"metadata {problem}", path=self.path, offset=self.offset)

    def only(self, *keys: str) -> None:
        """Refuse any other key: version 1 has no optional parts."""
        unknown = sorted(set(self.value) - set(keys))
        if unknown:
            raise self.error(f"has unknown keys; keys={unknown}")

    def get(self, key: str) -> Any:
        """The value of `key`, of any type."""
        if key not in self.value:
            raise self.error(f"lacks a key; key={key!r}")
        return self.value[key]

    def integer(self, key: str, least: int = 0, most: int = MAX_SAFE_INTEGER) -> int:
        """An integer from `least` up to `most`."""
        value = self.get(key)
        # bool is an int for isinstance
        if type(value) is not int or not least <= value <= most:
            raise self.error(f"needs an integer from {least} up to {most}; key={key!r}")
        return value

    def long_integer(self, key: str, most: int = 2**64 - 1) -> int:
        """A non-negative integer above 2**53 - 1, written as a string of decimal digits without leading zeros."""
        value = int(self.text(key, "0|[1-9][0-9]{0,19}"))
        if value > most:
            raise self.error(f"needs an integer up to {most}; key={key!r}")
        return value

    def text(self, key: str, pattern: str | None = None) -> str:
        """A string that matches the whole of `pattern`."""
        value = self.get(key)
        if not isinstance(value, str) or (pattern is not None and not re.fullmatch(pattern, value)):
            raise self.error(f"needs {'a string' if pattern is None else pattern}; key={key!r}")
        return value

    def base64(self, key: str) -> bytes:
        """Bytes in base64 with padding (RFC 4648, section 4)."""
        text = self.text(key)
        try:
            return base64.b64decode(text, validate=True)
        # binascii.Error, or a plain ValueError for text that is not ASCII
        except ValueError as err:
            raise self.error(f"needs base64; key={key!r}") from err

    def pair(self, key: str) -> tuple[int, int]:
        """Two integers in ascending order, as an array."""
        value = self.get(key)
        if not isinstance(value, list) or len(value) != 2:
            raise self.error(f"needs two integers; key={key!r}")
        both = Fields({"first": value[0], "last": value[1]}, self.path, self.offset)
        first = both.integer("first")
        return first, both.integer("last", first)

    def objects(self, key: str) -> list[Fields]:
        """An array of objects."""
        value = self.get(key)
        if not isinstance(value, list):
            raise self.error(f"needs an array; key={key!r}")
        return [Fields(item, self.path, self.offset) for item in value]

    def object(self, key: str) -> Fields:
        """An object."""
        return Fields(self.get(key), self.path, self.offset)


def check_version(fields: Fields, kind: str) -> None:
    """Raise unless verified metadata is of this `kind` and of a version that is known here."""
    fields.text("kind", kind)
    version = fields.integer("format_version", 1)
    if version != FORMAT_VERSION:
        message = f"written by a newer format: upgrade drift_arrow; path={fields.path!r} version={version}"
        raise UnsupportedFormatError(message)
