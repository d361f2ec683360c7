"""A plan, and contenders that are built and opened as it says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_bench.build import Built, build
from search_bench.data_set import DataSet
from search_bench.remote import Remote, WorkerError, environment_of
from search_bench.sweep import Budget, Player


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
    kernel_bytes : int
        Codes that a scan alone reads.
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
    kernel_bytes: int = 256 << 20

    def python(self, contender: str) -> str:
        """Interpreter of a contender."""
        return self.pythons.get(contender, sys.executable)


def build_all(plan: Plan, data: DataSet, contenders: Sequence[str]) -> list[tuple[str, Path, Built]]:
    """Every variant of every contender that is there; says who is absent and why."""
    found = []
    for name in contenders:
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
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment_of(1))
    except OSError as error:
        return {"absent": f"{name}: {error}"}
    if done.returncode:
        said = "".join(done.stderr.strip().splitlines()[-1:])
        return {"absent": f"{name}: {plan.python(name)} ended with status {done.returncode}: {said}"}
    about: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return about


def open_all(
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
