"""`drift-cli search`: the rows nearest to a vector."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples
from drift_arrow.options import DEFAULT_K

EPILOG = examples(
    "drift-cli search ./data/docs '[0.1, 0.7, 0.2]' --k 5",
    "drift-cli search ./data/docs @queries.npy --json",
    "drift-cli search ./data/docs --like 42 --where \"lang = 'en'\" --select id,title",
)


def search(
    address: CollectionArgument,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="A JSON list, or @file.npy.")] = None,
    like: Annotated[str | None, typer.Option(metavar="KEY", help="Search with the vector of this row instead.")] = None,
    k: Annotated[int, typer.Option("--k", "-k", min=1, help="Rows per query.")] = DEFAULT_K,
    where: Annotated[str | None, typer.Option(metavar="SQL", help="Only rows that meet this condition.")] = None,
    select: Annotated[str | None, typer.Option(metavar="A,B", help="Columns to print; all but the vector.")] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Compare with every row.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print the rows nearest to a vector."""
    from drift_arrow.cli.output import print_json_rows, print_rows
    from drift_arrow.cli.query import read_query, vector_of
    from drift_arrow.cli.rows import iterate_rows

    if (query is None) == (like is None):
        raise typer.BadParameter("give either a QUERY or --like KEY")
    vectors = None if query is None else read_query(query)
    with opened(address, read_only=True) as collection:
        found = collection.search(vector_of(collection, str(like)) if vectors is None else vectors).limit(k)
        if where is not None:
            found = found.where(where)
        if select is not None:
            found = found.select([name.strip() for name in select.split(",")])
        table = (found.exact() if exact else found).to_arrow()
    if as_json:
        print_json_rows(iterate_rows(table))
    else:
        print_rows(table.schema.names, iterate_rows(table))
