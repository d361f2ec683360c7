"""Tables of what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from harness.report import aligned
from search_bench.contender import OURS, label
from search_bench.frontier import frontier
from search_bench.result import SetResult

RECALLS: Final = (0.8, 0.9, 0.95, 0.98, 0.99)
"""At which contenders are compared."""


def show_points(result: SetResult, mode: str) -> None:
    """Speed at some recalls, then every point near a frontier."""
    kind = "one query at a time" if mode == "single" else "all queries at once"
    title = f"-- {result.name}, {kind}, {result.n_threads} thread{'s' if result.n_threads > 1 else ''}"
    rows = [(name, *(_count(result.qps(name, recall, mode)) for recall in RECALLS)) for name in result.contenders(mode)]
    print(f"\n{title}: queries/s at a recall@10 of\n{aligned(('', *(f'{recall:g}' for recall in RECALLS)), rows)}")
    print(f"\n{title}: all points")
    head = ("contender", "recall", "queries/s", "p50 ms", "p99 ms", "timed", "best", "setting")
    lines = []
    for name in result.contenders(mode):
        points = result.of(name, mode)
        best = frontier(points)
        for point in sorted(points, key=lambda point: point.recall):
            percentiles = (_ms(point.percentile_ms(percent)) for percent in (50, 99))
            mark = "*" if any(point is other for other in best) else ""
            setting = label({**point.variant, **point.setting})
            cells = (f"{point.recall:.4f}", _count(point.qps), *percentiles, str(len(point.times) or len(point.turns)))
            lines.append((name, *cells, mark, setting))
    print(aligned(head, lines), flush=True)


def show_costs(result: SetResult) -> None:
    """Building, disk and memory of every index."""
    n_rows, dim = result.shape
    head = (
        "contender",
        "rows/s",
        "seconds",
        "disk B/vector",
        "/ raw",
        "resident B/vector",
        "of files",
        "when built",
        "variant",
    )
    lines = []
    for cost in result.costs:
        built = cost.built
        lines.append(
            (
                cost.contender,
                _count(built.rows_per_second),
                f"{built.seconds:.2f}",
                f"{built.disk / n_rows:.0f}",
                f"{built.disk / n_rows / dim / 4:.2f}",
                f"{cost.searched / n_rows:.0f}",
                f"{cost.of_files / n_rows:.0f}",
                f"{built.resident / n_rows:.0f}",
                label(built.variant),
            )
        )
    print(f"\n-- {result.name}: built by up to 2 threads until durable, flushed and indexed; raw {dim * 4} B/vector")
    print(aligned(head, lines), flush=True)


def show_distances(rows: Sequence[tuple[str, ...]]) -> None:
    """How many times faster the fastest graph is than we are."""
    if not rows:
        return
    head = ("set", "threads", "recall", "fastest graph", "queries/s", *(f"/ {ours}" for ours in OURS))
    print(f"\n== one query at a time: the fastest graph\n{aligned(head, rows)}")


def _count(number: float) -> str:
    if math.isnan(number):
        return "-"
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _ms(number: float) -> str:
    return "-" if math.isnan(number) else f"{number:.3f}"
