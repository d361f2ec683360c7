"""`drift-cli sql`: DuckDB over collections."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.arguments import JsonOption, examples

EPILOG = examples(
    "drift-cli sql \"SELECT count(*) FROM drift_scan('./data/docs')\"",
    "drift-cli sql \"SELECT id, _distance FROM drift_search('./data/docs', [0.1, 0.7, 0.2], k := 5)\"",
)


def sql(
    statement: Annotated[str, typer.Argument(metavar="QUERY", help="Any DuckDB SQL.")],
    rows: Annotated[int, typer.Option(min=1, help="Rows to print; --json prints them all.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Run a DuckDB query over collections.

    drift_search('ROOT/NAME', vector, k := 10) and drift_scan('ROOT/NAME') are tables there.
    Paths start in the working directory.
    """
    from itertools import islice

    from drift_arrow.cli.duck import running
    from drift_arrow.cli.output import print_json_rows, print_rows
    from drift_arrow.cli.rows import iterate_rows

    with running(statement) as batches:
        found = iterate_rows(batches)
        if as_json:
            print_json_rows(found)
            return
        print_rows(batches.schema.names, islice(found, rows))
        if next(found, None) is not None:
            typer.echo(f"only the first {rows} rows are shown; --rows or --json shows more", err=True)
