"""A picture per runbook: what became of recall, time, scanned rows and the rest, step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib as mpl

from streaming_bench.ablation import is_ours
from streaming_bench.records import Record, Records

_COLOURS: Final = {
    "drift": "#d62728",
    "faiss-frozen": "#1f77b4",
    "faiss-rebuild": "#17a2b8",
    "hnswlib": "#2ca02c",
    "lancedb": "#9467bd",
    "original": "#8c6d31",
    "exact": "#7f7f7f",
}
_OTHERS: Final = ("#ff7f0e", "#e377c2", "#b8a000", "#4c4c4c", "#6a3d9a")
_TARGET: Final = 0.95


class Panel(NamedTuple):
    """What is drawn over the steps: of which operations, which number, and on what scale."""

    title: str
    ops: tuple[str, ...]
    value: str
    per: str | None = None
    is_log: bool = False


_CHANGES: Final = ("insert", "delete")
_PANELS: Final = (
    Panel("recall@10", ("search",), "recall"),
    Panel("p50 of one query, ms", ("search",), "p50_ms", is_log=True),
    Panel("p99 of one query, ms", ("search",), "p99_ms", is_log=True),
    Panel("scanned rows / rows alive", ("search",), "scanned", per="n_live"),
    Panel("rows inserted per second", ("insert",), "size", per="seconds", is_log=True),
    Panel("rows moved so far", (*_CHANGES, "search"), "moved"),
    Panel("dead rows / rows alive", (*_CHANGES, "search"), "dead", per="n_live"),
    Panel("memory per row alive, bytes", (*_CHANGES, "search"), "resident", per="n_live", is_log=True),
    Panel("disk per row alive, bytes", (*_CHANGES, "search"), "disk", per="n_live"),
)
_COLUMNS: Final = 3


def plot(records: Records, folder: Path) -> None:
    """Draw ``RUNBOOK.png`` for each runbook."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    n_rows = -(-len(_PANELS) // _COLUMNS)
    for runbook in records.runbooks():
        with plt.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
            figure, axes = plt.subplots(n_rows, _COLUMNS, figsize=(5.4 * _COLUMNS, 3.2 * n_rows), squeeze=False)
            for axis, panel in zip(axes.flat, _PANELS, strict=True):
                _draw(axis, panel, records, runbook)
            handles, labels = axes.flat[0].get_legend_handles_labels()
            figure.suptitle(runbook, x=0.01, ha="left", fontweight="bold")
            figure.legend(handles, labels, loc="upper right", ncols=len(labels), frameon=False)
            figure.tight_layout(rect=(0, 0, 1, 0.96))
            figure.savefig(folder / f"{runbook}.png", dpi=140)
            plt.close(figure)


def _draw(axis: Any, panel: Panel, records: Records, runbook: str) -> None:
    for number, contender in enumerate(records.contenders(runbook)):
        points = [_point(panel, one) for one in records.of(runbook, contender, *panel.ops)]
        known = [(step, value) for step, value in points if value is not None]
        colour = _COLOURS.get(contender, _OTHERS[number % len(_OTHERS)])
        width, order = (2.0, 3) if is_ours(contender) else (1.1, 2)
        steps, values = [step for step, _ in known], [value for _, value in known]
        axis.plot(steps, values, color=colour, lw=width, zorder=order, label=contender)
    axis.set_title(panel.title, loc="left", fontsize=9, fontweight="bold")
    axis.set_xlabel("step")
    if panel.is_log:
        axis.set_yscale("log")
    if panel.value == "recall":
        axis.axhline(_TARGET, color="#444444", lw=0.8, ls=":")
    axis.grid(visible=True, which="major", color="#e6e6e6", lw=0.6)
    axis.set_axisbelow(True)


def _point(panel: Panel, one: Record) -> tuple[int, float | None]:
    """Step and value; none where the contender does not know it."""
    if panel.value not in one:
        return one["step"], None
    value = one[panel.value] if panel.per is None else one[panel.value] / max(one[panel.per], 1e-6)
    # nothing has a place on a logarithmic scale
    return one["step"], None if panel.is_log and value <= 0 else value
