"""Buckets for people: a summary, and a line with bars for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.text import Text

from drift_arrow.cli.inspection.bars import bar
from drift_arrow.cli.output import new_table, print_wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from drift_arrow.format.statistics_file import Measurement

_UUID_CHARS: Final = 8
_FULL_BAR: Final = 3.0
"""Fullness that fills a bar: from there on, a bucket is oversized."""

_HEADINGS: Final = (
    "segment",
    "bucket",
    "urgency",
    "",
    "reason",
    "live",
    "dead",
    "zombies",
    "full",
    "",
    "heat",
    "drift",
    "",
    "code error",
    "age",
)
_RIGHT: Final = {"bucket", "live", "dead", "heat", "age", "code error"}


def show_summary(address: str, buckets: pl.DataFrame) -> None:
    """How many buckets and rows there are, and how many buckets need attention for which reason."""
    if not len(buckets):
        print(f"{address}: no buckets yet, all rows are in memory and in the log")
        return
    live, dead = int(buckets["live"].sum()), int(buckets["dead"].sum())
    segments = buckets["segment"].n_unique()
    print(f"{address}: {len(buckets):,} buckets in {segments} segments, {live:,} live rows, {dead:,} dead")
    counts = buckets["reason"].value_counts(sort=True)
    print(", ".join(f"{count:,} {reason}" for reason, count in counts.iter_rows()))
    weights = buckets["live"].to_numpy() / max(live, 1)
    drift = buckets["drift"].to_numpy()
    print(f"drift {float(drift @ weights):.3f} radii on average, at most {float(drift.max()):.3f}")


def show_recall(measurements: Sequence[Measurement]) -> None:
    """The newest measurement at each target."""
    for one in {measurement.target: measurement for measurement in measurements}.values():
        print(
            f"recall@{one.k} {one.recall:.3f} ({one.low:.3f} to {one.high:.3f}) at target {one.target:g}, "
            f"version {one.version}, {one.n_queries} {one.source}"
        )


def show_buckets(buckets: pl.DataFrame) -> None:
    """One line per bucket."""
    table = new_table(*_HEADINGS)
    table.padding = (0, 1, 0, 0)
    for column in table.columns:
        column.justify = "right" if column.header in _RIGHT else "left"
        column.no_wrap = True
    for row in buckets.iter_rows(named=True):
        table.add_row(*map(Text, _cells(row)))
    print()
    print_wide(table)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        row["segment"][:_UUID_CHARS],
        f"{row['bucket']:,}",
        f"{row['urgency']:.3f}",
        bar(row["urgency"]),
        row["reason"],
        f"{row['live']:,}",
        f"{row['dead']:,}",
        bar(row["zombie_ratio"]),
        f"{row['fullness']:.2f}",
        bar(row["fullness"] / _FULL_BAR),
        f"{row['heat']:,.1f}",
        f"{row['drift']:.3f}",
        bar(row["drift"]),
        f"{row['quantisation_error']:.4f}",
        f"{row['age']:,}",
    )
