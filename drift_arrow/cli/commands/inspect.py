"""`drift-cli inspect`: how segments store their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import JsonOption, examples
from drift_arrow.errors import NotFoundError

if TYPE_CHECKING:
    from drift_arrow.cli.inspection.facts import Facts

EPILOG = examples(
    "drift-cli inspect ./data/docs",
    "drift-cli inspect ./data/docs/segments/*.drift",
    "drift-cli inspect ./data/docs --column price",
    "drift-cli inspect ./data/docs --json | jq '.[].columns[].blocks[].encoding.name'",
)
MOST_BLOCKS = 4


def inspect(
    places: Annotated[list[str], typer.Argument(metavar="FILE|ROOT/NAME", help="Segment files, or a collection.")],
    column: Annotated[str | None, typer.Option(metavar="NAME", help="Only this column, with all its blocks.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show how the columns of a segment are stored.

    Bars compare with Arrow's own bytes: a full one means that nothing was saved.

    Of a collection, all segments are summed; rows that are not flushed yet are in none.
    """
    from drift_arrow.cli.inspection.document import segment_document
    from drift_arrow.cli.inspection.facts import read_segment
    from drift_arrow.cli.output import print_json

    if all(place.endswith(".drift") for place in places):
        segments, is_collection = [read_segment(place) for place in places], False
    elif len(places) == 1:
        segments, is_collection = _of_collection(places[0]), True
    else:
        raise typer.BadParameter("expected one collection, or files that end in .drift")
    for facts in segments:
        _check_column(facts, column)
    if as_json:
        print_json([segment_document(facts, [column] if column else facts.reader.schema.names) for facts in segments])
    elif column is not None:
        _print_column(segments, column)
    elif is_collection:
        _print_collection(places[0], segments)
    else:
        _print_files(segments)


def _of_collection(address: str) -> list[Facts]:
    from drift_arrow.cli.inspection.facts import Facts

    with opened(address, read_only=True) as collection:
        return [Facts.of(view.reader, f"{address}/{view.entry.path}") for view in collection.pin().segments]


def _check_column(facts: Facts, column: str | None) -> None:
    names = facts.reader.schema.names
    if column is not None and column not in names:
        raise NotFoundError(f"no such column; got={column!r} columns={names} path={facts.path!r}")


def _print_files(segments: list[Facts]) -> None:
    from drift_arrow.cli.inspection.show import show_blocks, show_columns, show_heading, show_tables

    for number, facts in enumerate(segments):
        print("\n" if number else "", end="")
        show_heading(facts)
        show_columns([facts])
        show_tables([facts])
        for name in facts.reader.schema.names:
            show_blocks(facts, name, MOST_BLOCKS)


def _print_collection(address: str, segments: list[Facts]) -> None:
    from drift_arrow.cli.inspection.show import show_columns, show_tables
    from drift_arrow.cli.output import bytes_text

    size, rows = (sum(getattr(facts.reader, name) for facts in segments) for name in ("size_bytes", "n_rows"))
    count = "1 segment" if len(segments) == 1 else f"{len(segments)} segments"
    print(f"{address}: {count}, {bytes_text(size)}, {rows:,} rows")
    for facts in segments:
        print(f"  {facts.path}: {bytes_text(facts.reader.size_bytes)}, {facts.reader.n_rows:,} rows")
    if segments:
        show_columns(segments)
        show_tables(segments)


def _print_column(segments: list[Facts], column: str) -> None:
    from drift_arrow.cli.inspection.show import show_blocks, show_heading

    for number, facts in enumerate(segments):
        print("\n" if number else "", end="")
        show_heading(facts)
        show_blocks(facts, column, None)
