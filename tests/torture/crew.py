"""Processes that make the attempts of a campaign, until its goal is reached, its time is up, or a promise is broken."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from tests.torture.campaign import Attempt, Campaign

_Running = dict["Future[Attempt]", int]


def attempts(campaign: Campaign, goal: int, seconds: float, seed: int, processes: int) -> Iterator[tuple[int, Attempt]]:
    """Seed and outcome of one attempt after the other, as they end.

    Notes
    -----
    A process is told its next seed only when it is free, so that a goal is overshot by one attempt of each at most.
    """
    seeds = itertools.islice(itertools.count(seed), campaign.attempts)
    stop = time.monotonic() + seconds
    tried: Counter[str] = Counter()
    n_processes = min(processes, campaign.most_processes)
    scratch = Path(tempfile.mkdtemp(prefix="drift-torture-"))
    # a forked process would inherit the threads of libraries only half
    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(n_processes, mp_context=context) as pool:
            running: _Running = {}
            while True:
                is_over = campaign.is_reached(tried, goal) or time.monotonic() > stop
                for number in itertools.islice(seeds, 0 if is_over else n_processes - len(running)):
                    running[pool.submit(attempt, campaign.name, number, scratch)] = number
                if not running:
                    return
                for done in wait(running, return_when=FIRST_COMPLETED).done:
                    outcome = done.result()
                    tried += outcome.tried
                    yield running.pop(done), outcome
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def attempt(name: str, seed: int, scratch: Path) -> Attempt:
    """One attempt, in a process of the crew; its directory is its own."""
    from tests.torture.campaigns import CAMPAIGNS

    directory = scratch / str(os.getpid())
    directory.mkdir(exist_ok=True)
    return CAMPAIGNS[name].attempt(seed, directory)
