"""Tags and restores on a simulated disk that loses power after every change; see `test_power_loss`."""

from __future__ import annotations

import pytest

from drift_arrow.engine import gc, restore
from drift_arrow.engine.storage import local
from tests.faults.past_life import PastLives

LIVES_PER_SEED = 10
IMAGES_PER_CHANGE = 3


def live(seeds: range, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int, int, list[str]]:
    """Crash states, tags and restores that were tried, and the violations of the first seed that has any."""
    states = tags = restores = 0
    for seed in seeds:
        lives = PastLives(seed, monkeypatch, images_per_change=IMAGES_PER_CHANGE)
        for _ in range(LIVES_PER_SEED):
            lives.live()
        states, tags, restores = states + lives.states.total(), tags + lives.tags, restores + lives.restores
        if lives.violations:
            return states, tags, restores, lives.violations
    return states, tags, restores, []


def test_no_power_loss_takes_a_tagged_version_or_half_of_a_restore(monkeypatch):
    states, tags, restores, violations = live(range(2), monkeypatch)
    assert violations == []
    # or this shows nothing
    assert states > 3000
    assert tags > 10
    assert restores > 5


@pytest.mark.slow
def test_no_power_loss_of_many_takes_a_tagged_version_or_half_of_a_restore(monkeypatch):
    states, *_, violations = live(range(100, 600), monkeypatch)
    assert violations == []
    assert states > 500_000


def test_the_simulation_catches_garbage_that_knows_no_tags(monkeypatch):
    monkeypatch.setattr(gc, "list_tags", lambda storage: [])
    assert live(range(20), monkeypatch)[-1]


def test_the_simulation_catches_a_tag_that_comes_back_without_its_version(monkeypatch):
    monkeypatch.setattr(local.LocalStorage, "settle", lambda self: None)
    assert live(range(20), monkeypatch)[-1]


def test_the_simulation_catches_a_restore_that_commits_nothing(monkeypatch):
    monkeypatch.setattr(restore, "publish", lambda storage, manifest: None)
    assert live(range(20), monkeypatch)[-1]


def test_the_simulation_catches_directories_that_are_never_synced(monkeypatch):
    monkeypatch.setattr(local, "_sync_directory", lambda path: None)
    assert live(range(20), monkeypatch)[-1]
