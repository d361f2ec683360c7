"""`drift-cli drop`: delete a collection."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import connected, opened, parse_address
from drift_arrow.cli.arguments import CollectionArgument, examples

EPILOG = examples("drift-cli drop ./data/docs", "drift-cli drop ./data/docs --yes")


def drop(
    address: CollectionArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete a collection for good."""
    target = parse_address(address)
    if not yes:
        with opened(address, read_only=True) as collection:
            question = f"delete {target} with its {len(collection):,} rows for good?"
        typer.confirm(question, abort=True)
    with connected(target.root) as database:
        database.drop_collection(target.name)
    print(f"dropped {target}")
