"""Runbooks, followed by all contenders in step, each in a process of its own."""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from search_bench.contender import Setting
from search_bench.remote import Remote, WorkerError
from streaming_bench import show
from streaming_bench.ablation import OURS, variant_name
from streaming_bench.bars import bars
from streaming_bench.contender import ENTRIES, is_installed
from streaming_bench.records import END, Record, Records
from streaming_bench.runbooks import Size, prepare
from streaming_bench.stream import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run does.

    Parameters
    ----------
    data, cache : Path
        Folder with real sets; folder for prepared runbooks.
    runbooks, contenders : sequence of str
    size : Size
    settle : float
        Seconds after each change in which work in the background may end, at most.
    options : dict
        Of drift, where they are not its defaults.
    variants : dict of str to dict
        Further runs of drift under names of their own, with options beside these.
    """

    data: Path
    cache: Path
    runbooks: Sequence[str]
    contenders: Sequence[str]
    size: Size
    settle: float = 20.0
    options: Setting = field(default_factory=dict)
    variants: dict[str, Setting] = field(default_factory=dict)


def run(plan: Plan, file: Path, plot_folder: Path | None = None) -> bool:
    """Follow all runbooks, show and draw what was found; whether all bars were reached."""
    records = Records(file)
    records.drop_unfinished()
    for name in plan.runbooks:
        stream = prepare(name, plan.size, plan.data, plan.cache)
        if isinstance(stream, str):
            print(f"absent: {stream}", flush=True)
            continue
        _follow(plan, stream, records)
        show.runbook(records, name)
    if plan.variants:
        show.ablation(records)
    found = bars(records)
    show.summary(found)
    if plot_folder is not None:
        from streaming_bench.plot import plot

        plot(records, plot_folder)
    return all(bar.verdict != "MISS" for bar in found)


def _follow(plan: Plan, stream: Stream, records: Records) -> None:
    """Each step is done by one contender after the other, in shuffled order; those that have been through are left."""
    shuffle = random.Random(plan.size.seed).shuffle
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="drift-streaming-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        players = _start(plan, stream, records, folder, stack)
        for number, step in enumerate(stream.steps):
            order = list(players)
            shuffle(order)
            about = {"runbook": stream.name, "step": number, "op": step.op, "n_live": step.n_live, "size": step.size}
            for name in order:
                message = {"do": "step", "number": number} if number else {"do": "load"}
                _ask(players, records, {**about, "contender": name}, {**message, "settle": plan.settle})
            show.progress(stream, number)
        for name in list(players):
            about = {"runbook": stream.name, "step": len(stream.steps), "op": END, "n_live": step.n_live, "size": 0}
            _ask(players, records, {**about, "contender": name}, {"do": "finish"})


def _start(plan: Plan, stream: Stream, records: Records, folder: Path, stack: ExitStack) -> dict[str, Remote]:
    players = {}
    variants = {name: (name, ENTRIES[name].variant) for name in plan.contenders}
    if OURS in variants:
        variants[OURS] = (OURS, plan.options)
    variants |= {variant_name(name): (OURS, {**plan.options, **given}) for name, given in plan.variants.items()}
    for name, (entry, variant) in variants.items():
        if name in records.contenders(stream.name):
            continue
        n_threads, package = ENTRIES[entry].n_threads, ENTRIES[entry].package
        if not is_installed(entry):
            print(f"absent: {name}: {package} is not installed in {sys.executable}", flush=True)
            continue
        index = folder / name.replace(" ", "-")
        remote = Remote(entry, stream, index, variant, n_threads=n_threads, worker="streaming_bench.worker")
        players[name] = stack.enter_context(remote)
    return players


def _ask(players: dict[str, Remote], records: Records, about: Record, message: Setting) -> None:
    """One step of one contender; who fails is left out from then on, and says why."""
    name: str = about["contender"]
    try:
        answer = players[name].ask(**message)
    except WorkerError as error:
        print(f"absent from step {about['step']} on: {error}", flush=True)
        del players[name]
        return
    records.add({**about, **answer})
