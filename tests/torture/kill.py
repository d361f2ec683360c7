"""Writing processes that are killed at random moments on one directory, which goes on from attempt to attempt."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

from tests.faults.killer import Killer, make_collection, survive
from tests.torture.campaign import Attempt, Campaign

KILLS_PER_ATTEMPT = 250


def kill(seed: int, scratch: Path) -> Attempt:
    """So many lives on the collection that earlier attempts left, each ended by SIGKILL."""
    path = scratch / "docs"
    if not path.exists():
        make_collection(scratch)
    lives = range(seed * KILLS_PER_ATTEMPT, (seed + 1) * KILLS_PER_ATTEMPT)
    with contextlib.closing(Killer(path)) as killer:
        try:
            acknowledged = survive(killer, path, lives)
        except AssertionError as error:
            return Attempt(Counter(), [str(error)])
    # a campaign in which nothing was written shows nothing
    violations = [] if acknowledged > len(lives) else [f"only {acknowledged} operations were acknowledged"]
    return Attempt(Counter({"": len(lives)}), violations)


KILL = Campaign(
    name="kill",
    what="writers die by SIGKILL at any moment, one after the other, on one directory",
    unit="kills",
    goal=10_000,
    attempt=kill,
    # on one directory
    most_processes=1,
)
