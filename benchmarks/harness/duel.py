"""Calls timed in turn within one process, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Final

_LEAST_ROUNDS: Final = 3

Clock = Callable[[], float]
"""Returns seconds."""


def duel(
    calls: Mapping[str, Callable[[], object]],
    *,
    seconds: float,
    repeats: int = 1,
    is_hot: bool = False,
    clock: Clock = time.perf_counter,
) -> dict[str, float]:
    """Median time of each call.

    Parameters
    ----------
    calls : mapping of str to callable
        Without arguments. What they return is dropped outside of the timed span, before the next call.
    seconds : float
        Rounds go on for about so long, and there are at least three.
    repeats : int
        Timed calls in a row when it is the turn of a call.
    is_hot : bool
        Call once untimed at each turn, since the others have emptied the caches.
    clock : callable
        `time.process_time` leaves out what other processes take away from this one, and waiting.

    Returns
    -------
    dict of str to float
        Seconds.

    Notes
    -----
    The order of each round is shuffled by a fixed seed: no call always follows the same other. The collector is off.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    order, shuffle = list(calls), random.Random(0).shuffle
    for call in calls.values():
        call()
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        deadline, rounds = time.perf_counter() + seconds, 0
        while rounds < _LEAST_ROUNDS or time.perf_counter() < deadline:
            shuffle(order)
            for name in order:
                if is_hot:
                    calls[name]()
                times[name] += [_time(calls[name], clock) for _ in range(repeats)]
            rounds += 1
    finally:
        if was_enabled:
            gc.enable()
    return {name: statistics.median(found) for name, found in times.items()}


def _time(call: Callable[[], object], clock: Clock) -> float:
    started = clock()
    result = call()
    elapsed = clock() - started
    del result
    return elapsed
