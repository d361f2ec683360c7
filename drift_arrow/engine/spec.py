"""What a collection holds: schema, key, vector and metric, checked once when it is created."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pyarrow as pa

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.plain import check_storable
from drift_arrow.options import MAX_DIM

if TYPE_CHECKING:
    from drift_arrow.format.manifest import Manifest

METRICS: Final = ("l2", "cosine", "dot")
DISTANCE_COLUMN: Final = "_distance"
QUERY_COLUMN: Final = "query_index"
_RESERVED: Final = (DISTANCE_COLUMN, QUERY_COLUMN)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_KEY_TYPES: Final = (pa.int64(), pa.uint64(), pa.string(), pa.large_string())
_VALUE_TYPES: Final = (pa.float16(), pa.float32(), pa.float64())


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSpec:
    """The fixed shape of a collection.

    Parameters
    ----------
    schema : pyarrow.Schema
        All columns; the vector is a FixedSizeList of float16, float32 or float64.
    vector, key : str
        Names of the vector and of the key column.
    metric : {"l2", "cosine", "dot"}
        Squared Euclidean distance, 1 - cosine, or negative inner product: smaller is closer.
    key_seed : int
        Secret-free 64-bit seed of the string fingerprints, so that equal fingerprints cannot be prepared in advance.

    Attributes
    ----------
    dim : int
        Dimensions of a vector.
    names : tuple of str
        Of all columns.
    """

    schema: pa.Schema
    vector: str
    key: str
    metric: str
    key_seed: int
    dim: int = field(init=False, repr=False, compare=False)
    names: tuple[str, ...] = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Arrow takes microseconds to tell them, and every search asks
        object.__setattr__(self, "dim", int(self.schema.field(self.vector).type.list_size))
        object.__setattr__(self, "names", tuple(self.schema.names))
        object.__setattr__(self, "_hash", hash((self.schema, self.vector, self.key, self.metric, self.key_seed)))

    def __hash__(self) -> int:
        return self._hash

    @property
    def value_type(self) -> pa.DataType:
        """Stored type of a vector's elements."""
        return self.schema.field(self.vector).type.value_type

    @property
    def payload_schema(self) -> pa.Schema:
        """All columns but the vector."""
        return self.schema.remove(self.schema.get_field_index(self.vector))

    @property
    def stored_schema(self) -> pa.Schema:
        """Columns that a memtable keeps beside its float32 matrix, which is the vector itself if that is float32."""
        return self.payload_schema if self.value_type == pa.float32() else self.schema

    @property
    def result_columns(self) -> list[str]:
        """Columns that a search returns unless told otherwise: all but the vector."""
        return list(self.payload_schema.names)

    def check_columns(self, columns: Any) -> list[str]:
        """The names of some columns as a list; a string is one name.

        Raises
        ------
        InvalidArgumentError
            No sequence of names, an unknown column, or one that is named twice.
        """
        names = [columns] if isinstance(columns, str) or not isinstance(columns, Iterable) else list(columns)
        unknown = [name for name in names if name not in self.names]
        if unknown:
            message = f"no such column; got={unknown} columns={list(self.names)}"
            raise InvalidArgumentError(message)
        if len(set(names)) != len(names):
            message = f"a column is named twice; got={names}"
            raise InvalidArgumentError(message)
        return names

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> CollectionSpec:
        """The shape that a manifest records."""
        return cls(
            schema=manifest.schema,
            vector=manifest.vector,
            key=manifest.key,
            metric=manifest.metric,
            key_seed=manifest.key_seed,
        )


def check_name(name: object) -> str:
    """Return `name` if it may name a collection; user names become directory names only through here."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = f"a collection name is 1 to 63 of a-z 0-9 _ -, starting with a letter or digit; got={name!r}"
        raise InvalidArgumentError(message)
    return name


def make_spec(schema: Any, *, vector: str, key: str, metric: str, dim: int | None, key_seed: int) -> CollectionSpec:
    """Check a wanted collection and normalise its vector column to FixedSizeList.

    Parameters
    ----------
    schema : pyarrow.Schema, polars.Schema, or any object with `__arrow_c_schema__`
        Column names and types.
    vector, key : str
        Column names.
    metric : str
        One of `METRICS`.
    dim : int, optional
        Needed when the vector column is a List, whose type does not tell it.
    key_seed : int
        Stored as it is.

    Raises
    ------
    InvalidArgumentError
        Names the argument, its value and what would be accepted.
    """
    if metric not in METRICS:
        message = f"unknown metric; got={metric!r} known={list(METRICS)}"
        raise InvalidArgumentError(message)
    arrow_schema = _as_schema(schema)
    _check_names(arrow_schema, vector, key)
    key_type = arrow_schema.field(key).type
    if key_type not in _KEY_TYPES:
        message = f"a key is int64, uint64 or string: cast the column first; column={key!r} type={key_type}"
        raise InvalidArgumentError(message)
    index = arrow_schema.get_field_index(vector)
    field = arrow_schema.field(index)
    vector_field = field.with_type(_vector_type(field, dim))
    checked = arrow_schema.set(index, vector_field)
    for column in checked:
        check_storable(column)
    return CollectionSpec(schema=checked, vector=vector, key=key, metric=metric, key_seed=key_seed)


def _as_schema(schema: Any) -> pa.Schema:
    if isinstance(schema, pa.Schema):
        return schema
    if hasattr(schema, "__arrow_c_schema__"):
        return pa.schema(schema)
    if isinstance(schema, pl.Schema):
        return schema.to_frame().to_arrow().schema
    message = f"schema must be a pyarrow or Polars schema; got={type(schema).__name__}"
    raise InvalidArgumentError(message)


def _check_names(schema: pa.Schema, vector: str, key: str) -> None:
    for role, name in (("vector", vector), ("key", key)):
        if name not in schema.names:
            message = f"the {role} column is not in the schema; got={name!r} columns={schema.names}"
            raise InvalidArgumentError(message)
    if vector == key:
        message = f"vector and key must be different columns; got={key!r}"
        raise InvalidArgumentError(message)
    repeated = sorted({name for name in schema.names if schema.names.count(name) > 1})
    reserved = [name for name in schema.names if name in _RESERVED]
    if repeated or reserved or "" in schema.names:
        message = f"column names must be unique, not empty, not {_RESERVED}; repeated={repeated} reserved={reserved}"
        raise InvalidArgumentError(message)


def _vector_type(field: pa.Field, dim: int | None) -> pa.DataType:
    kind = field.type.storage_type if isinstance(field.type, pa.ExtensionType) else field.type
    is_fixed = pa.types.is_fixed_size_list(kind)
    is_list = is_fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list or kind.value_type not in _VALUE_TYPES:
        message = f"a vector is a list of float16, float32 or float64; column={field.name!r} type={field.type}"
        raise InvalidArgumentError(message)
    if is_fixed and dim is not None and dim != kind.list_size:
        message = f"dim differs from the schema; column={field.name!r} dim={dim} schema={kind.list_size}"
        raise InvalidArgumentError(message)
    size = kind.list_size if is_fixed else dim
    if size is None:
        message = (
            f"the type of the vector column does not tell its length: pass dim=; column={field.name!r} type={kind}"
        )
        raise InvalidArgumentError(message)
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MAX_DIM:
        message = f"dim must be an int from 1 to {MAX_DIM}; got={size!r}"
        raise InvalidArgumentError(message)
    return pa.list_(pa.field("item", kind.value_type), size)
