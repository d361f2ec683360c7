"""What a call of a table function reads: announced columns, and batches of the ones that are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import pyarrow as pa

from drift_arrow.duckdb_udf.readers import borrow
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

DISTANCE: Final = "_distance"
_SCAN_ROWS: Final = 8_192
"""Rows that a scan asks for at once: four DuckDB vectors, about 25 MB at 784 dimensions."""


class Source(Protocol):
    """Rows behind one call of a table function."""

    @property
    def schema(self) -> pa.Schema:
        """Columns as DuckDB is told of them."""

    @property
    def n_rows(self) -> int:
        """Estimate of the rows that `batches` gives, for the query planner."""

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The rows, with at least these columns of the schema, read while the iterator advances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSource:
    """Every live row of a collection.

    Parameters
    ----------
    path : str
        Directory of the collection.
    schema : pa.Schema
        All its columns.
    n_rows : int
        Rows when the call was bound.
    key : str
        Smallest column, read where a query wants none, such as COUNT(*).
    """

    path: str
    schema: pa.Schema
    n_rows: int
    key: str

    @classmethod
    def of(cls, path: str) -> ScanSource:
        """The source of `drift_scan(path)`; raises what opening the collection raises."""
        with borrow(path) as collection:
            return cls(path=path, schema=collection.schema, n_rows=len(collection), key=collection.key)

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """The newest durable rows, a few thousand at a time."""
        with borrow(self.path) as collection:
            _check_unchanged(self.schema, collection.schema, self.path)
            batches = collection.to_batches(columns or [self.key], _SCAN_ROWS)
        # The rows are pinned. A handle held until a result is read to its end would keep the writer from closing.
        yield from batches


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSource:
    """The rows nearest to one query.

    Parameters
    ----------
    path : str
        Directory of the collection.
    schema : pa.Schema
        All its columns but the vector, then `_distance` float32.
    n_rows : int
        At most this many rows come.
    key : str
        Read where a query wants no stored column, such as COUNT(*).
    stored : pa.Schema
        Schema of the collection when the call was bound.
    query : (dim,) float32
    k : int
    where : str or None
        SQL text of a prefilter.
    is_exact : bool
    """

    path: str
    schema: pa.Schema
    n_rows: int
    key: str
    stored: pa.Schema
    query: npt.NDArray[np.float32]
    k: int
    where: str | None
    is_exact: bool

    @classmethod
    def of(
        cls, path: str, *, query: npt.NDArray[np.float32], k: int, where: str | None, is_exact: bool
    ) -> SearchSource:
        """The source of `drift_search(path, query, ...)`; raises what opening the collection raises."""
        with borrow(path) as collection:
            payload = [field for field in collection.schema if field.name != collection.vector]
            return cls(
                path=path,
                schema=pa.schema([*payload, pa.field(DISTANCE, pa.float32())]),
                n_rows=max(0, min(k, len(collection))),
                key=collection.key,
                stored=collection.schema,
                query=query,
                k=k,
                where=where,
                is_exact=is_exact,
            )

    def batches(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        """Search now, and give the hits nearest first."""
        payload = [name for name in columns if name != DISTANCE] or [self.key]
        with borrow(self.path) as collection:
            _check_unchanged(self.stored, collection.schema, self.path)
            search = collection.search(self.query).limit(self.k).select(payload)
            if self.where is not None:
                search = search.where(self.where)
            hits = (search.exact() if self.is_exact else search).to_arrow()
        yield from hits.to_batches()


def _check_unchanged(bound: pa.Schema, found: pa.Schema, path: str) -> None:
    """Refuse rows of another shape than DuckDB was told of, as after a drop and a new start under the same name."""
    if not bound.equals(found):
        raise InvalidArgumentError(f"the columns changed since the statement was bound: run it again; path={path!r}")
