"""`drift-cli heal`: searches as fast as those of a fresh collection."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples(
    "drift-cli heal ./data/docs --dry-run",
    "drift-cli heal ./data/docs --budget-rows 50000",
    "drift-cli heal ./data/docs --json | jq 'map(.rows) | add'",
)


def heal(
    address: CollectionArgument,
    budget_rows: Annotated[int | None, typer.Option(metavar="N", min=1, help="Move at most so many rows.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be tried.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Move rows to where searches find them cheaply.

    Only what saves time is done: the gain of an action is estimated first, and checked before anything is written. The
    Janitor of a collection that is open for writing does the same in the background.
    """
    from drift_arrow.cli.output import print_json_rows, print_rows

    with opened(address, read_only=False) as collection:
        actions = collection.heal(budget_rows, dry_run=dry_run)
    if as_json:
        print_json_rows(actions.iter_rows(named=True))
    elif len(actions):
        print_rows(actions.columns, actions.iter_rows(named=True))
    else:
        print(f"{address} is healthy: no action would save time")
