"""Arguments and options that several commands share, and the examples of their help."""

from __future__ import annotations

from typing import Annotated

import typer

CollectionArgument = Annotated[str, typer.Argument(metavar="ROOT/NAME", help="The collection, e.g. ./data/docs")]
RootArgument = Annotated[str, typer.Argument(metavar="ROOT", help="The database: a directory of collections.")]
ProfileOption = Annotated[
    str | None, typer.Option(metavar="hot|cold", help="What files are made for: speed (the default), or few bytes.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on stdout.")]


def examples(*lines: str) -> str:
    """The epilog of a command's help, one example per line."""
    heading = "Example:" if len(lines) == 1 else "Examples:"
    # The help is rendered as rich markup, where an unescaped "[" would open a tag and vanish.
    return "\n\n".join([heading, *(line.replace("[", r"\[") for line in lines)])
