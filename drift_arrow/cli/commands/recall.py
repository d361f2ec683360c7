"""`drift-cli recall`: what searches of a collection really find."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples
from drift_arrow.options import DEFAULT_K, DEFAULT_TARGET_RECALL, MAX_K

EPILOG = examples(
    "drift-cli recall ./data/docs",
    "drift-cli recall ./data/docs --target 0.9 --target 0.99 --sample 1000",
    "drift-cli recall ./data/docs --history",
)


def recall(
    address: CollectionArgument,
    k: Annotated[int, typer.Option(min=1, max=MAX_K, help="Rows per search.")] = DEFAULT_K,
    sample: Annotated[int, typer.Option(metavar="N", min=1, help="Searches that are answered exactly, too.")] = 256,
    target: Annotated[list[float] | None, typer.Option(help="A target recall; repeatable. 0.95.")] = None,
    history: Annotated[bool, typer.Option("--history", help="What writers measured; nothing is measured now.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Measure what searches find, against exact answers.

    Rows of the collection stand in for queries, and the result is only printed. A program that searches measures its
    own queries (Collection.recall), and what a writer measured is kept: --history lists it.
    """
    from drift_arrow.cli.output import print_json_rows, print_rows
    from drift_arrow.cli.rows import iterate_rows

    with opened(address, read_only=True) as collection:
        targets = target or [DEFAULT_TARGET_RECALL]
        measured = collection.recall_history() if history else collection.recall(k, sample, targets)
    table = measured.to_arrow()
    if as_json:
        print_json_rows(iterate_rows(table))
    else:
        print_rows(table.schema.names, iterate_rows(table))
