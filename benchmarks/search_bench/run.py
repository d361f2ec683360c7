"""Prepares, builds, measures and reports."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.report import bar_table
from search_bench.bars import bars, distances_to_graphs
from search_bench.build import Built, build
from search_bench.data_set import DataSet
from search_bench.inputs import prepare
from search_bench.remote import Remote, WorkerError, environment_of
from search_bench.result import Cost, SetResult, document
from search_bench.show import show_costs, show_distances, show_points
from search_bench.sweep import Budget, Player, Sweep

PARTS: Final = ("single", "batch")
"""What can be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does.

    Parameters
    ----------
    data, cache : Path
        Folder with real sets; folder for prepared sets and indexes.
    sets, contenders, parts : sequence of str
    threads : sequence of int
    build_threads : int
    budget : Budget
    pythons : dict of str to str
        Interpreters of contenders that need one of their own.
    """

    data: Path
    cache: Path
    sets: Sequence[str]
    contenders: Sequence[str]
    parts: Sequence[str]
    threads: Sequence[int] = (1, 2)
    build_threads: int = 2
    budget: Budget = field(default_factory=Budget)
    pythons: dict[str, str] = field(default_factory=dict)

    def python(self, contender: str) -> str:
        """Interpreter of a contender."""
        return self.pythons.get(contender, sys.executable)


def run(plan: Plan, *, json_file: Path | None = None, plot_file: Path | None = None) -> bool:
    """Measure, and print tables and bars.

    Returns
    -------
    bool
        Whether no bar was missed.
    """
    results = []
    for name in plan.sets:
        data = prepare(name, plan.data, plan.cache)
        if isinstance(data, str):
            print(data)
            continue
        n_rows, dim = data.vectors.shape
        print(f"\n== {name}: {n_rows:,} x {dim}, {len(data.queries):,} queries, {data.metric}", flush=True)
        results += measure(plan, data)
    found = bars(results)
    show_distances(distances_to_graphs(results))
    print(f"\n== bars\n{bar_table(found)}")
    if json_file:
        json_file.write_text(json.dumps(document(results, found), indent=1))
    if plot_file:
        from search_bench.plot import plot

        plot(results, plot_file)
    return all(bar.verdict != "MISS" for bar in found)


def measure(plan: Plan, data: DataSet) -> list[SetResult]:
    """All that is measured on one set, one result per number of threads."""
    indexes = _build_all(plan, data)
    results = []
    for n_threads in plan.threads:
        result = SetResult(name=data.name, shape=data.vectors.shape, n_threads=n_threads)
        with ExitStack() as stack:
            players = _open_all(plan, data, indexes, n_threads, stack)
            for mode in ("single", "batch"):
                if mode in plan.parts:
                    points = Sweep(data, players, plan.budget, is_batch=mode == "batch").run()
                    result.points[mode] = points
                    show_points(result, mode)
            for player, built in players.items():
                searched = player.remote.ask("resident")["bytes"]
                result.costs.append(Cost(contender=player.contender, built=built, searched=searched))
        results.append(result)
        show_costs(result)
    return results


def _build_all(plan: Plan, data: DataSet) -> list[tuple[str, Path, Built]]:
    """Every variant of every contender that is there; says who is absent and why."""
    found = []
    for name in plan.contenders:
        about = _describe(plan, name, data)
        if "absent" in about:
            print(f"absent: {about['absent']}", flush=True)
            continue
        for variant in about["variants"]:
            try:
                folder, built = build(
                    name,
                    data,
                    variant,
                    about["fingerprint"],
                    cache=plan.cache,
                    n_threads=plan.build_threads,
                    python=plan.python(name),
                )
            except WorkerError as error:
                print(f"absent: {error}", flush=True)
                continue
            found.append((name, folder, built))
    return found


def _describe(plan: Plan, name: str, data: DataSet) -> dict[str, Any]:
    command = [plan.python(name), "-m", "search_bench.describe", name, str(data.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment_of(1))
    if done.returncode:
        return {"absent": f"{name}: {done.stderr.strip().splitlines()[-1]}"}
    about: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return about


def _open_all(
    plan: Plan, data: DataSet, indexes: list[tuple[str, Path, Built]], n_threads: int, stack: ExitStack
) -> dict[Player, Built]:
    """Workers that have opened their indexes; closed with the stack."""
    players = {}
    for name, folder, built in indexes:
        remote = Remote(name, data, folder, built.variant, n_threads=n_threads, python=plan.python(name))
        stack.enter_context(remote)
        try:
            sweeps = remote.ask("open")["sweeps"]
        except WorkerError as error:
            print(f"absent: {error}", flush=True)
            continue
        players[Player(name, built.variant, remote, sweeps)] = built
    return players
