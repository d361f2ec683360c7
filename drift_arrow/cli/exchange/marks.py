"""What an exported file says of its collection, so that the way back needs no flags: four keys of the schema."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.options import Options

if TYPE_CHECKING:
    import pyarrow as pa

    from drift_arrow import Collection

_PREFIX: Final = "drift."
_NAMES: Final = ("vector", "key", "metric")
_OPTIONS: Final = _PREFIX + "options"


@dataclass(frozen=True, slots=True)
class Marks:
    """Roles of two columns, the metric and the settings; None for what a file does not say."""

    vector: str | None
    key: str | None
    metric: str | None
    options: Options | None = None


def mark(schema: pa.Schema, collection: Collection) -> pa.Schema:
    """`schema` with the marks of `collection`; as it is if it lacks the vector or the key, for it restores nothing."""
    if not {collection.vector, collection.key} <= set(schema.names):
        return schema
    marks = {_PREFIX + name: getattr(collection, name) for name in _NAMES}
    marks[_OPTIONS] = json.dumps(asdict(collection.options))
    return schema.with_metadata({**(schema.metadata or {}), **marks})


def unmark(schema: pa.Schema) -> tuple[pa.Schema, Marks]:
    """The schema that `mark` was given, and the marks that it set.

    Raises
    ------
    InvalidArgumentError
        The settings are none of this version.
    """
    kept = dict(schema.metadata or {})
    vector, key, metric = (_text(kept.pop((_PREFIX + name).encode(), None)) for name in _NAMES)
    options = _text(kept.pop(_OPTIONS.encode(), None))
    marks = Marks(vector, key, metric, None if options is None else _options(options))
    return schema.with_metadata(kept or None), marks


def _options(text: str) -> Options:
    try:
        return Options.from_dict(json.loads(text))
    except (ValueError, TypeError) as err:
        message = f"the file was exported with settings that are not known here; {_OPTIONS}={text!r}"
        raise InvalidArgumentError(message) from err


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
