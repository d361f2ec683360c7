"""`drift-cli add`: rows of files into a collection."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples(
    "drift-cli add ./data/docs docs.parquet",
    "drift-cli add ./data/docs 'day-*.parquet' more.csv --upsert",
    "drift-cli add ./data/docs 's3://bucket/embeddings/*.parquet'",
)


def add(
    address: CollectionArgument,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Parquet, Arrow IPC or CSV; URL or pattern too.")],
    upsert: Annotated[bool, typer.Option("--upsert", help="Replace rows whose key exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add the rows of files to a collection.

    Each batch of rows is durable once it is added, and stays if a later one is refused.

    In a CSV file the vector is a column of JSON lists, or one column per dimension: v0, v1, v2.
    """
    from drift_arrow.cli.loading import add_files
    from drift_arrow.cli.output import print_json

    started = time.perf_counter()
    added = add_files(address, files, is_upsert=upsert)
    seconds = time.perf_counter() - started
    if as_json:
        print_json({"collection": address, "rows": added.n_rows, "files": added.n_files, "seconds": round(seconds, 3)})
    else:
        print(f"added {added.n_rows:,} rows of {added.n_files} files to {address} in {seconds:.1f} s")
