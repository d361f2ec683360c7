"""`drift-cli list`: the collections of a database."""

from __future__ import annotations

from drift_arrow.cli.address import connected
from drift_arrow.cli.arguments import JsonOption, RootArgument, examples
from drift_arrow.errors import NotFoundError

EPILOG = examples("drift-cli list ./data")


def list_collections(root: RootArgument, as_json: JsonOption = False) -> None:
    """Print the names of the collections, one per line."""
    from pathlib import Path

    from drift_arrow.cli.output import print_json

    if "://" not in root and not Path(root).is_dir():
        raise NotFoundError(f"no such directory; root={root!r}")
    with connected(root) as database:
        names = database.list_collections()
    if as_json:
        print_json(names)
    else:
        for name in names:
            print(name)
