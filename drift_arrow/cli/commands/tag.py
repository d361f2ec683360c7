"""`drift-cli tag`: names that keep versions."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples
from drift_arrow.cli.which import parse_version

EPILOG = examples(
    "drift-cli tag ./data/docs before-import",
    "drift-cli tag ./data/docs release-1 --version 41",
    "drift-cli tag ./data/docs",
    "drift-cli tag ./data/docs release-1 --delete",
)


def tag(
    address: CollectionArgument,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Of the tag; without it, tags are listed.")] = None,
    version: Annotated[
        str | None, typer.Option(metavar="VERSION|TIME|TAG", help="What to keep; all rows as they are now.")
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the tag, so that its version may go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Keep a version under a name, or list the names.

    A version with a tag is never deleted; its files take space until the tag is removed.
    """
    from drift_arrow.cli.output import print_json

    if name is None:
        if delete or version is not None:
            raise typer.BadParameter("give the NAME of a tag")
        _list(address, as_json=as_json)
        return
    if delete and version is not None:
        raise typer.BadParameter("give either --version or --delete")
    with opened(address, read_only=False) as collection:
        if delete:
            collection.untag(name)
            number = None
        else:
            number = collection.tag(name, None if version is None else parse_version(version))
    if as_json:
        print_json({"collection": address, "tag": name, "version": number})
    else:
        print(
            f"removed tag {name} of {address}" if number is None else f"tag {name} keeps version {number} of {address}"
        )


def _list(address: str, *, as_json: bool) -> None:
    from drift_arrow.cli.output import print_json_rows, print_rows
    from drift_arrow.cli.rows import iterate_rows

    with opened(address, read_only=True) as collection:
        table = collection.tags().to_arrow()
    if as_json:
        print_json_rows(iterate_rows(table))
    else:
        print_rows(table.schema.names, iterate_rows(table))
