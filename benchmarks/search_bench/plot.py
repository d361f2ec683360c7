"""Speed over recall: one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np

from search_bench.frontier import frontier
from search_bench.result import SetResult

_COLOURS: Final = {
    "drift": "#d62728",
    "drift-kernel": "#ff7f0e",
    "faiss-ivf-sq8": "#1f77b4",
    "faiss-hnsw-sq8": "#17a2b8",
    "hnswlib": "#2ca02c",
    "usearch": "#8c6d31",
    "lancedb": "#9467bd",
    "duckdb-vss": "#b8a000",
    "qdrant-local": "#e377c2",
    "milvus-lite": "#7f7f7f",
}
_MODES: Final = {"single": "one query at a time", "batch": "batches"}
_LEFT: Final = 0.7
_MARGIN: Final = 0.8
"""Decades of missed neighbours right of 1, for the names of what ends there."""

_LABEL_WIDTH: Final = 95
_LABEL_HEIGHT: Final = 14
_LABEL_GAP: Final = 8
"""Pixels at 100 per inch."""

_BEYOND: Final = 3e-4
"""Where the axis ends, past a recall of 1, so that the points there have a place."""


def plot(results: Sequence[SetResult], file: Path) -> None:
    """Draw queries/s over recall@10, a panel per set, number of threads and kind of search; labels at the lines."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels = [(result, mode) for result in results for mode in _MODES if result.points.get(mode)]
    if not panels:
        return
    n_columns = min(3, len(panels))
    n_rows = -(-len(panels) // n_columns)
    with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure, axes = plt.subplots(n_rows, n_columns, figsize=(6.2 * n_columns, 4.6 * n_rows), squeeze=False)
        ends = [_draw(axis, result, mode) for axis, (result, mode) in zip(axes.flat, panels, strict=False)]
        for axis in list(axes.flat)[len(panels) :]:
            axis.set_axis_off()
        figure.tight_layout()
        # a place in pixels is known only now
        for axis, names in zip(axes.flat, ends, strict=False):
            _label(axis, names)
        figure.savefig(file, dpi=160)
        plt.close(figure)


def _draw(axis: Any, result: SetResult, mode: str) -> list[tuple[float, float, str]]:
    """Lines and axes; where each line ends, for its name."""
    ends = []
    for name in result.contenders(mode):
        best = [point for point in frontier(result.of(name, mode)) if point.recall >= _LEFT]
        if not best:
            continue
        is_ours = name.startswith("drift")
        recalls, speeds = [point.recall for point in best], [point.qps for point in best]
        width, size = (2.2, 4) if is_ours else (1.2, 3)
        axis.plot(recalls, speeds, "o-", color=_COLOURS[name], lw=width, ms=size, zorder=3 if is_ours else 2)
        ends.append((speeds[-1], recalls[-1], name))
    plural = "s" if result.n_threads > 1 else ""
    title = (
        f"{result.name} ({result.shape[0]:,} x {result.shape[1]}), {_MODES[mode]}, {result.n_threads} thread{plural}"
    )
    axis.set_title(title, loc="left", fontsize=9, fontweight="bold")
    axis.set(yscale="log", xlabel="recall@10", ylabel="queries/s")
    # a thousandth of recall counts more the nearer it is to 1
    axis.set_xscale("function", functions=(_stretched, _shrunk))
    ticks = [0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 1.0]
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xlim(_LEFT, _shrunk(_stretched(1.0) + _MARGIN))
    axis.margins(y=0.08)
    axis.grid(visible=True, which="major", color="#e6e6e6", lw=0.6)
    axis.set_axisbelow(True)
    return ends


def _stretched(recall: Any) -> Any:
    return -np.log10(np.maximum(1 + _BEYOND - np.asarray(recall), _BEYOND / 10))


def _shrunk(place: Any) -> Any:
    return 1 + _BEYOND - np.power(10.0, -np.asarray(place))


def _label(axis: Any, ends: list[tuple[float, float, str]]) -> None:
    """Names right of where the lines end, pushed up where one would cover another."""
    placed: list[tuple[float, float]] = []
    for speed, recall, name in sorted(ends):
        x, y = axis.transData.transform((recall, speed))
        for other_x, other_y in placed:
            if abs(x - other_x) < _LABEL_WIDTH and y < other_y + _LABEL_HEIGHT:
                y = other_y + _LABEL_HEIGHT
        placed.append((x, y))
        axis.annotate(
            name,
            xy=(recall, speed),
            xytext=axis.transAxes.inverted().transform((x + _LABEL_GAP, y)),
            textcoords="axes fraction",
            color=_COLOURS[name],
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
            fontsize=8.5,
            fontweight="bold" if name.startswith("drift") else "normal",
        )
