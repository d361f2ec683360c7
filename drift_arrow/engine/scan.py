"""All live rows of a collection: as Arrow batches, and as a Polars LazyFrame with push-down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import pyarrow as pa
from polars.io.plugins import register_io_source

from drift_arrow.engine.snapshot import live_mask
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.take import empty_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec

SCAN_BATCH_ROWS: Final = 65_536


def scan_batches(snapshot: Snapshot, columns: list[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
    """Live rows of `snapshot` in storage order, at most `batch_rows` at a time; decodes only `columns`."""
    for view in snapshot.views:
        rows = np.flatnonzero(live_mask(view))
        for start in range(0, len(rows), batch_rows):
            yield from view.take(rows[start : start + batch_rows], columns).to_batches()


def scan_lazy(snapshot: Snapshot, spec: CollectionSpec, name: str) -> pl.LazyFrame:
    """A LazyFrame over `snapshot`: projections, predicates and row limits are pushed into it.

    Raises
    ------
    InvalidArgumentError
        A column has a type that Polars does not have.
    """
    schema = _polars_schema(spec)

    def source(
        columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
    ) -> Iterator[pl.DataFrame]:
        wanted = list(schema) if columns is None else columns
        # Polars hands over columns that only the predicate needs, and wants them dropped again
        needed = wanted if predicate is None else [*wanted, *sorted(set(predicate.meta.root_names()) - set(wanted))]
        left = n_rows
        for batch in scan_batches(snapshot, needed, batch_size or SCAN_BATCH_ROWS):
            frame = pl.DataFrame(pl.from_arrow(batch))
            if predicate is not None:
                frame = frame.filter(predicate)
            frame = frame.select(wanted) if left is None else frame.select(wanted).head(left)
            yield frame
            if left is not None:
                left -= len(frame)
                if left <= 0:
                    return

    return register_io_source(source, schema=schema, is_pure=True, explain_name="DRIFT", explain_detail=name)


def _polars_schema(spec: CollectionSpec) -> pl.Schema:
    fields = {}
    for field in spec.schema:
        try:
            empty = pl.DataFrame(pl.from_arrow(empty_table(pa.schema([field]))))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException) as error:
            message = f"Polars has no type for a column: read it with to_arrow; column={field.name!r} type={field.type}"
            raise InvalidArgumentError(message) from error
        fields[field.name] = empty.schema[field.name]
    return pl.Schema(fields)
