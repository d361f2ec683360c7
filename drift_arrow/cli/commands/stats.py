"""`drift-cli stats`: what a collection holds."""

from __future__ import annotations

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples("drift-cli stats ./data/docs")


def stats(address: CollectionArgument, as_json: JsonOption = False) -> None:
    """Print how many rows, segments and bytes a collection has."""
    from drift_arrow.cli.output import print_json, print_pairs
    from drift_arrow.cli.rows import plain_value

    with opened(address, read_only=True) as collection:
        values = plain_value(collection.stats().to_dict())
    if as_json:
        print_json(values)
    else:
        print_pairs(values)
