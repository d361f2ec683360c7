"""Segments for people: a heading, a line per column, a line per table, and on demand a line per block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

from drift_arrow.cli.inspection.bars import bar
from drift_arrow.cli.inspection.facts import Facts, Sizes, most_common_tree, tree, tree_text, width_text
from drift_arrow.cli.output import bytes_text, cell, console, natural_width, new_table, print_wide
from drift_arrow.cli.rows import plain_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from drift_arrow.format.block_info import BlockInfo

_LIMITS: Final = (28, 24, 19, 16, 10, 7)
"""Longest text of a type or bound; the first with which a table fits into the terminal."""

_HEADINGS: Final = ("from row", "encoding", "width", "bits", "", "bytes", "exceptions", "nulls", "min", "max")
_RIGHT: Final = {"from row", "width", "bits", "bytes", "exceptions", "nulls", "raw", "stored", "of raw", "per row"}


def show_heading(facts: Facts) -> None:
    """Where it is, how large, and what its rows are."""
    reader = facts.reader
    first, last = reader.seqno_range
    print(f"{facts.path}: {bytes_text(reader.size_bytes)}")
    print(f"{reader.n_rows:,} rows in {reader.n_buckets:,} buckets, written by operations {first:,} to {last:,}")
    print(f"vectors in {reader.vector}, {reader.dim:,} dimensions, metric {reader.metric}; keys in {reader.key}")


def show_columns(segments: Sequence[Facts]) -> None:
    """One line per column: how it is stored, and how much is left of it."""
    schema = segments[0].reader.schema
    blocks = {name: [block for facts in segments for block in facts.of_column(name)] for name in schema.names}
    total = Sizes.of(block for found in blocks.values() for block in found)

    def build(limit: int, gap: str) -> Table:
        table = _table("column", "type", "encoding", "raw", "stored", "of raw", "")
        for name, found in blocks.items():
            kind = str(schema.field(name).type)
            _add(table, name, shortened(kind, limit), most_common_tree(found, gap), *_size_cells(Sizes.of(found)))
        table.add_section()
        _add(table, "all", "", "", *_size_cells(total))
        return table

    print()
    _print_fitting(build)


def show_tables(segments: Sequence[Facts]) -> None:
    """One line per kind of table, and one for what frames the blocks."""
    n_rows = sum(facts.reader.n_rows for facts in segments)
    stored: dict[str, int] = {}
    for facts in segments:
        for name, sizes in facts.tables().items():
            stored[name] = stored.get(name, 0) + sizes.stored
    stored["headers, padding, footer"] = sum(facts.frame_bytes for facts in segments)
    table = _table("table", "bytes", "per row")
    for name, size in stored.items():
        _add(table, name.lower().replace("_", " "), bytes_text(size), f"{size / n_rows:.2f}")
    print()
    print_wide(table)


def show_blocks(facts: Facts, name: str, most: int | None) -> None:
    """One line per block of a column; at most `most` of them."""
    blocks = facts.of_column(name)

    def build(limit: int, gap: str) -> Table:
        lines = [_block_cells(block, limit, gap) for block in blocks[:most]]
        # what says nothing about any block leaves its room to the others
        kept = [number for number in range(len(_HEADINGS)) if any(line[number] for line in lines)]
        table = _table(*(_HEADINGS[number] for number in kept))
        for line in lines:
            _add(table, *(line[number] for number in kept))
        return table

    print(f"\n{name}: {facts.reader.schema.field(name).type}")
    _print_fitting(build)
    if most is not None and len(blocks) > most:
        print(f"… and {len(blocks) - most:,} more: --column {name} shows all")


def shortened(text: str, limit: int) -> str:
    """`text`, cut if it is longer than `limit`."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _size_cells(sizes: Sizes) -> tuple[str, str, str, str]:
    return bytes_text(sizes.raw), bytes_text(sizes.stored), f"{sizes.ratio:.1%}", bar(sizes.ratio)


def _block_cells(block: BlockInfo, limit: int, gap: str) -> list[str]:
    encoding, zone = block.encoding, block.zone
    n_exceptions = sum(inner.n_exceptions for inner in tree(encoding))
    bounds = [None, None] if zone is None else [zone.minimum, zone.maximum]
    return [
        f"{block.first_row:,}",
        tree_text(encoding, gap),
        width_text(encoding),
        f"{encoding.bits_per_value:.2f}",
        bar(block.stored_len / block.raw_len if block.raw_len else 1.0),
        bytes_text(block.stored_len),
        f"{n_exceptions:,}" if n_exceptions else "",
        f"{zone.null_count:,}" if zone is not None and zone.null_count else "",
        *("" if bound is None else shortened(cell(plain_scalar(bound)), limit) for bound in bounds),
    ]


def _table(*headings: str) -> Table:
    table = new_table(*headings)
    table.padding = (0, 0)
    for column in table.columns:
        column.justify = "right" if column.header in _RIGHT else "left"
        column.no_wrap = True
    return table


def _add(table: Table, *cells: str) -> None:
    # as Text, for square brackets of a type are no markup
    table.add_row(*map(Text, cells))


def _print_fitting(build: Callable[[int, str], Table]) -> None:
    """Print what `build` makes of the first texts that fit: whole trees, trees over several lines, shorter bounds."""
    target = console()
    tables = [build(_LIMITS[0], " ")]
    if target.is_terminal:
        tables += [build(limit, "\n") for limit in _LIMITS]
    fitting = (table for table in tables if natural_width(table, target) <= target.width)
    print_wide(next(fitting, tables[-1]))
