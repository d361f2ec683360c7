"""What an exported file says of its collection, so that the way back needs no flags: three keys of the schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

    from drift_arrow import Collection

_PREFIX: Final = "drift."
_NAMES: Final = ("vector", "key", "metric")


@dataclass(frozen=True, slots=True)
class Marks:
    """Roles of two columns and the metric; None for what a file does not say."""

    vector: str | None
    key: str | None
    metric: str | None


def mark(schema: pa.Schema, collection: Collection) -> pa.Schema:
    """`schema` with the marks of `collection`; as it is if it lacks the vector or the key, for it restores nothing."""
    if not {collection.vector, collection.key} <= set(schema.names):
        return schema
    marks = {_PREFIX + name: getattr(collection, name) for name in _NAMES}
    return schema.with_metadata({**(schema.metadata or {}), **marks})


def unmark(schema: pa.Schema) -> tuple[pa.Schema, Marks]:
    """The schema that `mark` was given, and the marks that it set."""
    kept = dict(schema.metadata or {})
    marks = [_text(kept.pop((_PREFIX + name).encode(), None)) for name in _NAMES]
    return schema.with_metadata(kept or None), Marks(*marks)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8", "replace")
