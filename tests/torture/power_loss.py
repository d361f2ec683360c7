"""Power losses at every change of the disk, of every protocol that writes files; see `tests.faults.life`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.life import PROTOCOLS, Lives
from tests.faults.past_life import PastLives
from tests.torture.campaign import Attempt, Campaign

LIVES_PER_ATTEMPT = 10
IMAGES_PER_CHANGE = dict.fromkeys(PROTOCOLS, 16) | {
    # rarer in a life
    "append": 32,
    "recovery again": 64,
    "commit": 96,
    "rotate": 96,
    "gc": 128,
}


def lose_power(kind: type[Lives], seed: int) -> Attempt:
    """Lives on one disk; every change of it is followed by so many power losses that are recovered from."""
    with pytest.MonkeyPatch.context() as patch:
        lives = kind(seed, patch, images_per_change=IMAGES_PER_CHANGE)
        for _ in range(LIVES_PER_ATTEMPT):
            lives.live()
    return Attempt(lives.states, lives.violations)


def _lose_power(seed: int, _scratch: Path) -> Attempt:
    return lose_power(Lives, seed)


def _lose_power_of_versions(seed: int, _scratch: Path) -> Attempt:
    return lose_power(PastLives, seed)


POWER_LOSS = Campaign(
    name="power-loss",
    what="the disk loses power after any of its changes, while a collection is written, healed, opened again",
    unit="crash states",
    goal=1_000_000,
    attempt=_lose_power,
    parts=PROTOCOLS,
)
VERSIONS = Campaign(
    name="versions",
    what="the same while versions are tagged, untagged and restored",
    unit="crash states",
    goal=1_000_000,
    attempt=_lose_power_of_versions,
    parts=PROTOCOLS,
)
