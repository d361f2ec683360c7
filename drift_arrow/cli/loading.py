"""Stream files into a collection, a batch in memory at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drift_arrow.cli.address import opened
from drift_arrow.cli.output import console
from drift_arrow.cli.progress import row_progress
from drift_arrow.cli.sources import expand, open_source, regroup
from drift_arrow.cli.sources.conform import conform
from drift_arrow.errors import DriftError

if TYPE_CHECKING:
    from rich.progress import Progress

    from drift_arrow import Collection


@dataclass(slots=True)
class Added:
    """How far a load has come."""

    n_rows: int = 0
    n_files: int = 0


def add_files(address: str, patterns: list[str], *, is_upsert: bool) -> Added:
    """Add every row of every file to the collection at ROOT/NAME.

    Raises
    ------
    DriftError
        The first error; a note says how many rows were added before it, and these stay.
    """
    urls = expand(patterns)
    added = Added()
    with opened(address, read_only=False) as collection, row_progress(console(stderr=True)) as progress:
        for url in urls:
            try:
                add_file(collection, url, is_upsert=is_upsert, added=added, progress=progress)
            except DriftError as error:
                error.add_note(f"rows_added_before={added.n_rows} while_adding={url!r}")
                raise
    return added


def add_file(collection: Collection, url: str, *, is_upsert: bool, added: Added, progress: Progress) -> None:
    """Add every row of one file; `added` counts them, also when an error ends it."""
    write = collection.upsert if is_upsert else collection.add
    rows = regroup.rows_per_add(collection.dim)
    with open_source(url, vector=collection.vector, target=collection.schema) as source:
        # Square brackets in a file name would be read as markup.
        task = progress.add_task(url.rpartition("/")[2].replace("[", r"\["), total=source.n_rows)
        batches = (conform(batch, collection.schema) for batch in source.batches(rows))
        for table in regroup.regroup(batches, rows, regroup.ADD_BYTES):
            write(table)
            added.n_rows += table.num_rows
            progress.advance(task, table.num_rows)
    added.n_files += 1
