"""Measures every part on every set and reports."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.report import Bar, bar_table
from search_bench import filters
from search_bench.bars import bars, distances_to_graphs
from search_bench.build import Built
from search_bench.child import call
from search_bench.contender import OURS
from search_bench.data_set import DataSet
from search_bench.inputs import prepare
from search_bench.remote import WorkerError
from search_bench.result import Cost, SetResult, plain
from search_bench.show import show_costs, show_distances, show_points
from search_bench.stage import Plan, build_all, open_all
from search_bench.sweep import Player, Sweep

MODES: Final = ("single", "batch")


@dataclass(slots=True)
class Report:
    """What has been found so far.

    Parameters
    ----------
    results : list of SetResult
        Of single queries and batches.
    bars : list of Bar
        Of all other parts.
    parts : dict of str to dict
        Found by the other parts, by part and set.
    """

    results: list[SetResult] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, part: str, name: str, found: Any) -> None:
        """Take note of what a part found on a set."""
        self.parts.setdefault(part, {})[name] = found


def run(plan: Plan, *, json_file: Path | None = None, plot_file: Path | None = None) -> bool:
    """Measure, and print tables and bars.

    Returns
    -------
    bool
        Whether no bar was missed.
    """
    report = Report()
    for name in plan.sets:
        data = prepare(name, plan.data, plan.cache)
        if isinstance(data, str):
            print(data)
            continue
        n_rows, dim = data.vectors.shape
        print(f"\n== {name}: {n_rows:,} x {dim}, {len(data.queries):,} queries, {data.metric}", flush=True)
        for names, measure in _PARTS.items():
            if any(part in plan.parts for part in names):
                measure(plan, data, report)
    if "kernel" in plan.parts:
        _kernel(plan, report)
    found = [*bars(report.results), *report.bars]
    show_distances(distances_to_graphs(report.results))
    print(f"\n== bars\n{bar_table(found)}")
    if json_file:
        document = {
            "sets": [plain(result) for result in report.results],
            "parts": report.parts,
            "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in found],
        }
        json_file.write_text(json.dumps(document, indent=1))
    if plot_file:
        from search_bench.plot import plot

        plot(report.results, plot_file)
    return all(bar.verdict != "MISS" for bar in found)


def _search(plan: Plan, data: DataSet, report: Report) -> None:
    """Single queries and batches, with each number of threads; and what the indexes cost."""
    indexes = build_all(plan, data, plan.contenders)
    for n_threads in plan.threads:
        n_rows, dim = data.vectors.shape
        result = SetResult(name=data.name, shape=(n_rows, dim), n_threads=n_threads)
        with ExitStack() as stack:
            players = open_all(plan, data, indexes, n_threads, stack)
            for mode in MODES:
                if mode in plan.parts:
                    result.points[mode] = Sweep(data, players, plan.budget, is_batch=mode == "batch").run()
                    show_points(result, mode)
            result.costs += [_cost(player, built) for player, built in players.items()]
        report.results.append(result)
        show_costs(result)


def _cost(player: Player, built: Built) -> Cost:
    try:
        memory = player.remote.ask("resident")
    except WorkerError:
        memory = {"bytes": 0, "of_files": 0}
    return Cost(contender=player.contender, built=built, searched=memory["bytes"], of_files=memory["of_files"])


def _targets(plan: Plan, data: DataSet, report: Report) -> None:
    """Calibration, of real sets a bar."""
    from search_bench import targets

    for _, folder, _ in build_all(plan, data, OURS[:1]):
        found = call("targets", 1, folder=str(data.folder), index=str(folder))
        targets.show(data.name, found)
        report.add("targets", data.name, found)
        report.bars += targets.bars(data.name, found)


def _filters(plan: Plan, data: DataSet, report: Report) -> None:
    """Filters on the same set with other payload, one thread."""
    ranked = filters.with_ranks(data, plan.cache)
    contenders = [name for name in filters.CONTENDERS if name in plan.contenders]
    indexes = build_all(plan, ranked, contenders)
    with ExitStack() as stack:
        players = open_all(plan, ranked, indexes, 1, stack)
        found = filters.measure(ranked, list(players), plan.budget, plan.cache)
    filters.show(data.name, 1, found)
    report.add("filters", data.name, filters.document(found))
    report.bars += filters.bars(data.name, found, len(data.vectors))


def _memtable(plan: Plan, data: DataSet, report: Report) -> None:
    """Unflushed rows."""
    from search_bench import memtable

    found = call(
        "memtable", 1, folder=str(data.folder), n_rows=memtable.ROWS, seconds=min(plan.budget.seconds / 4, 10.0)
    )
    memtable.show({data.name: found})
    report.add("memtable", data.name, found)
    report.bars += memtable.bars({data.name: found})


def _concurrent(plan: Plan, data: DataSet, report: Report) -> None:
    """Readers beside a writer, on all cores."""
    from search_bench import concurrency

    n_cores = len(os.sched_getaffinity(0))
    seconds = min(plan.budget.seconds / 3, 15.0)
    found = call("concurrency", n_cores, folder=str(data.folder), n_rows=50_000, seconds=seconds)
    concurrency.show({data.name: found})
    report.add("concurrent", data.name, found)
    report.bars += concurrency.bars({data.name: found})


def _kernel(plan: Plan, report: Report) -> None:
    """The scan alone."""
    from search_bench import kernel

    found = {}
    for dim in kernel.DIMS:
        budget = plan.budget
        seconds, is_cpu = budget.seconds / 6, budget.is_cpu
        found[dim] = call("kernel", 1, dim=dim, n_bytes=plan.kernel_bytes, seconds=seconds, is_cpu=is_cpu)
        report.add("kernel", f"d = {dim}", found[dim])
    kernel.show(found)
    report.bars += kernel.bars(found)


_PARTS: Final[dict[tuple[str, ...], Callable[[Plan, DataSet, Report], None]]] = {
    MODES: _search,
    ("targets",): _targets,
    ("filters",): _filters,
    ("memtable",): _memtable,
    ("concurrent",): _concurrent,
}

NAMES: Final = (*(name for names in _PARTS for name in names), "kernel")
"""What can be asked for."""
