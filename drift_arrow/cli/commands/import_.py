"""`drift-cli import`: a new collection with the rows of a file."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from drift_arrow.cli.address import parse_address
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, ProfileOption, examples

EPILOG = examples(
    "drift-cli import docs.parquet ./data/docs",
    "drift-cli import articles.parquet ./data/docs --vector embedding --key id --metric cosine",
)


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Parquet, Arrow IPC or CSV; URL too.")],
    address: CollectionArgument,
    vector: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of vectors.")] = None,
    key: Annotated[str | None, typer.Option(metavar="COLUMN", help="The column of unique keys.")] = None,
    metric: Annotated[str | None, typer.Option(metavar="l2|cosine|dot", help="How distance is measured.")] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create a collection from a file, with all its rows.

    A file of 'drift-cli export' needs no flags and gives an equal collection.
    Any other needs --vector and --key; its metric is l2 unless --metric is given.

    If a row is refused, no collection is left behind.
    """
    from drift_arrow.cli.exchange.marks import Marks
    from drift_arrow.cli.exchange.restore import import_file, plan_import
    from drift_arrow.cli.output import print_json

    target = parse_address(address)
    started = time.perf_counter()
    plan = plan_import(file, Marks(vector, key, metric), profile)
    n_rows = import_file(file, target, plan)
    seconds = time.perf_counter() - started
    if as_json:
        print_json(
            {
                "collection": str(target),
                "rows": n_rows,
                "vector": plan.vector,
                "key": plan.key,
                "metric": plan.metric,
                "seconds": round(seconds, 3),
            }
        )
    else:
        roles = f"vectors in {plan.vector}, keys in {plan.key}, compared by {plan.metric}"
        print(f"imported {n_rows:,} rows of {file} to {target} in {seconds:.1f} s: {roles}")
