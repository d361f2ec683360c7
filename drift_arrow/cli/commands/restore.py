"""`drift-cli restore`: an older version as the newest one."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples
from drift_arrow.cli.which import parse_version

EPILOG = examples(
    "drift-cli restore ./data/docs 41",
    "drift-cli restore ./data/docs 2026-03-01T12:00:00+00:00",
    "drift-cli restore ./data/docs before-import --yes",
)


def restore(
    address: CollectionArgument,
    version: Annotated[str, typer.Argument(metavar="VERSION|TIME|TAG", help="One that `drift-cli versions` lists.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the rows of an older version back.

    They become a new version; nothing is copied. Rows that were added since are gone, and rows that were deleted
    since are there again.

    To be able to undo it, tag what is there first: drift-cli tag ROOT/NAME before-restore
    """
    from drift_arrow.cli.output import print_json

    which = parse_version(version)
    with opened(address, read_only=False) as collection:
        past = collection.at(which)
        question = f"replace {len(collection):,} rows of {address} by the {len(past):,} of version {past.version}?"
        if not (yes or as_json):
            typer.confirm(question, abort=True)
        number, n_rows = collection.restore(past.version), len(past)
    if as_json:
        print_json({"collection": address, "restored": past.version, "version": number, "rows": n_rows})
    else:
        print(f"{address} is as it was in version {past.version}, with {n_rows:,} rows; this is version {number}")
