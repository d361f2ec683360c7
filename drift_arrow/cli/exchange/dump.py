"""A collection into one file, a batch in memory at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from drift_arrow.cli.exchange.dictionaries import SharedDictionaries, columns_with_dictionaries
from drift_arrow.cli.exchange.marks import mark
from drift_arrow.cli.exchange.whole_file import whole_file
from drift_arrow.cli.exchange.writers import arrow_writer, parquet_writer
from drift_arrow.cli.output import console
from drift_arrow.cli.progress import row_progress
from drift_arrow.cli.sources.regroup import regroup
from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.scan import SCAN_BATCH_ROWS
from drift_arrow.format.take import take_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from drift_arrow import Collection

GROUP_BYTES: Final = 64 << 20
"""Arrow size of a row group or record batch of an exported file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Rows and columns of a collection.

    Parameters
    ----------
    where : str, optional
        SQL condition that the rows meet.
    columns : list of str, optional
        In this order; all by default.
    """

    where: str | None = None
    columns: list[str] | None = None


def dump_parquet(collection: Collection, path: str, selection: Selection, *, overwrite: bool) -> int:
    """Write rows as a Parquet file; returns how many. Raises as `whole_file`, `parquet_writer` and `Search.where`."""
    schema = _schema(collection, selection)
    n_rows = 0
    with (
        whole_file(path, overwrite=overwrite) as partial,
        parquet_writer(partial, schema) as write,
        row_progress(console(stderr=True)) as progress,
    ):
        for table in _tables(collection, selection, schema, progress, "writing"):
            write(table)
            n_rows += table.num_rows
    return n_rows


def dump_arrow(collection: Collection, path: str, selection: Selection, *, overwrite: bool) -> int:
    """Write rows as an Arrow IPC file; returns how many. Columns with dictionaries are read twice.

    Raises as `whole_file`, `SharedDictionaries` and `Search.where`.
    """
    schema = _schema(collection, selection)
    numbered = columns_with_dictionaries(schema)
    n_rows = 0
    with (
        whole_file(path, overwrite=overwrite) as partial,
        arrow_writer(partial, schema) as write,
        row_progress(console(stderr=True)) as progress,
    ):
        narrow = pa.schema([schema.field(name) for name in numbered])
        shared = SharedDictionaries(
            _tables(collection, Selection(where=selection.where), narrow, progress, "dictionaries") if numbered else ()
        )
        for table in _tables(collection, selection, schema, progress, "writing"):
            write(shared.share(table))
            n_rows += table.num_rows
    return n_rows


def _schema(collection: Collection, selection: Selection) -> pa.Schema:
    names = selection.columns or collection.schema.names
    collection.spec.check_columns(names)
    kept = pa.schema([collection.schema.field(name) for name in names], metadata=collection.schema.metadata)
    return mark(kept, collection)


def _tables(
    collection: Collection, selection: Selection, schema: pa.Schema, progress: Progress, title: str
) -> Iterator[pa.Table]:
    """The selected rows with the columns of `schema`, in pieces of about GROUP_BYTES."""
    task = progress.add_task(title, total=len(collection))
    rows = max(1, GROUP_BYTES // (4 * collection.dim))

    def matching() -> Iterator[pa.RecordBatch]:
        predicate = None if selection.where is None else make_predicate(selection.where, collection.spec)
        needed = list(dict.fromkeys([*schema.names, *(predicate.columns if predicate else [])]))
        for batch in collection.to_batches(needed, min(rows, SCAN_BATCH_ROWS)):
            progress.advance(task, batch.num_rows)
            table = pa.Table.from_batches([batch])
            kept = table if predicate is None else take_rows(table, np.flatnonzero(predicate.mask(table)))
            yield from kept.select(schema.names).to_batches()

    for table in regroup(matching(), rows, GROUP_BYTES):
        yield table.replace_schema_metadata(schema.metadata)
