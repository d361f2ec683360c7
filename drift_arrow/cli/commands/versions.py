"""`drift-cli versions`: what a collection was before."""

from __future__ import annotations

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples("drift-cli versions ./data/docs", "drift-cli versions ./data/docs --json | jq '.[-1].version'")


def versions(address: CollectionArgument, as_json: JsonOption = False) -> None:
    """List the versions that can be gone back to.

    Every flush commits one. Which are kept is a setting of the collection: the newest retained_versions, those that
    were the newest in the last retained_seconds, and those with a tag.

    Rows that are not flushed yet are in none of them.
    """
    from drift_arrow.cli.output import print_json_rows, print_rows
    from drift_arrow.cli.rows import iterate_rows

    with opened(address, read_only=True) as collection:
        table = collection.versions().to_arrow()
    if as_json:
        print_json_rows(iterate_rows(table))
    else:
        print_rows(table.schema.names, iterate_rows(table))
