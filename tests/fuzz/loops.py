"""Two ways to make inputs: guided by the coverage of `drift_arrow.format` (atheris), or by chance alone."""

from __future__ import annotations

import sys
import time
from random import Random

from tests.fuzz.guard import Guard, Journal
from tests.fuzz.target import MAX_INPUT_BYTES, Target

_POOL = 256
_MAX_CHANGES = 4


def run_by_chance(target: Target, journal: Journal, *, runs: int, seconds: float, seed: int) -> None:
    """`runs` inputs, or as many as fit into `seconds`; the same `seed` gives the same inputs."""
    random = Random(seed)
    seeds = target.seeds()
    accepted: list[bytes] = []
    end = time.monotonic() + seconds
    with Guard(target, journal) as guard:
        for number in range(runs):
            if number % 64 == 0 and time.monotonic() > end:
                return
            data = random.choice(accepted if accepted and random.random() < 0.3 else seeds)
            data = mutated(target, data, random)
            if guard.run(data):
                accepted.append(data)
                if len(accepted) > _POOL:
                    accepted.pop(random.randrange(len(accepted)))


def run_guided(target: Target, journal: Journal, *, runs: int, seconds: float, seed: int) -> None:
    """As `run_by_chance`, but atheris chooses what to mutate; ends the process."""
    import atheris

    seeds = target.seeds()
    guard = Guard(target, journal).__enter__()

    def parse(data: bytes) -> None:
        if len(data) <= MAX_INPUT_BYTES:
            guard.run(data)

    def mutate(data: bytes, _: int, number: int) -> bytes:
        random = Random(number)
        # libFuzzer starts from nothing
        return mutated(target, random.choice(seeds) if len(data) < 2 or random.random() < 0.1 else data, random)

    options = [f"-runs={runs}", f"-seed={seed + 1}", f"-max_len={MAX_INPUT_BYTES}", "-len_control=0"]
    options += ["-rss_limit_mb=0", "-verbosity=0", "-timeout=86400", f"-artifact_prefix={journal.path}."]
    if seconds < float("inf"):
        options.append(f"-max_total_time={max(1, int(seconds))}")
    atheris.Setup([sys.argv[0], *options], parse, custom_mutator=mutate)
    atheris.Fuzz()


def mutated(target: Target, data: bytes, random: Random) -> bytes:
    """`data` after one to four mutations; unchanged if it would become too long."""
    found = data
    for _ in range(random.choice([1, 1, 1, 2, _MAX_CHANGES])):
        found = target.mutate(found, random)
    return found if len(found) <= MAX_INPUT_BYTES else data
