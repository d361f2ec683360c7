"""The real engine and the real storage on a simulated disk that loses power after every change.

A life of a collection ends in a close, a kill, a failed sync or a power loss, and the next one begins with what that
left; so recoveries are cut off as well, twice in a row, and by every kind of death.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from drift_arrow.engine.core import Core
from drift_arrow.engine.storage import local
from drift_arrow.format.layout import Buffer
from tests.faults.life import Lives

storage: Any = local

LIVES_PER_SEED = 10
IMAGES_PER_CHANGE = 8


def live(seeds: range, monkeypatch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
    """Crash states that were tried, and the violations of the first seed that has any."""
    states = 0
    for seed in seeds:
        lives = Lives(seed, monkeypatch, images_per_change=IMAGES_PER_CHANGE)
        for _ in range(LIVES_PER_SEED):
            lives.live()
        states += lives.states.total()
        if lives.violations:
            return states, lives.violations
    return states, []


def test_no_power_loss_loses_what_was_acknowledged_or_tears_a_batch(monkeypatch):
    states, violations = live(range(2), monkeypatch)
    assert violations == []
    assert states > 8000


@pytest.mark.slow
def test_no_power_loss_of_many_loses_what_was_acknowledged_or_tears_a_batch(monkeypatch):
    states, violations = live(range(100, 400), monkeypatch)
    assert violations == []
    assert states > 900_000


@contextlib.contextmanager
def rename_unsynced(self: Any, path: str) -> Iterator[Callable[[Buffer], object]]:
    """Write, rename, sync the directory: the file may arrive without its bytes."""
    final = self._root / path
    temporary = final.parent / ".tmp-fixed"
    with storage._translated(path):
        descriptor = storage.os.open(temporary, storage.os.O_WRONLY | storage.os.O_CREAT)
        yield lambda data: storage._write_all(descriptor, [data])
        storage.os.close(descriptor)
        storage.os.rename(temporary, final)
        storage._sync_directory(final.parent)


@contextlib.contextmanager
def rename_without_directory(self: Any, path: str) -> Iterator[Callable[[Buffer], object]]:
    """Write, sync, rename: the file may never arrive."""
    final = self._root / path
    temporary = final.parent / ".tmp-fixed"
    with storage._translated(path):
        descriptor = storage.os.open(temporary, storage.os.O_WRONLY | storage.os.O_CREAT)
        yield lambda data: storage._write_all(descriptor, [data])
        storage.os.fsync(descriptor)
        storage.os.close(descriptor)
        storage.os.rename(temporary, final)


def nothing(*_args: object) -> None:
    """Leaves a step out."""


def sync_that_hides_failures(self: Any) -> None:
    """Acknowledges what the system could not write."""
    with contextlib.suppress(OSError):
        storage.os.fdatasync(self._descriptor)


MUTANTS = [
    pytest.param(local.LocalStorage, "create", rename_unsynced, id="rename_unsynced"),
    pytest.param(local.LocalStorage, "create", rename_without_directory, id="rename_without_directory"),
    pytest.param(local.LocalLog, "sync", nothing, id="log_never_synced"),
    pytest.param(local.LocalLog, "sync", sync_that_hides_failures, id="failed_syncs_ignored"),
    pytest.param(storage, "_sync_directory", nothing, id="directories_never_synced"),
    # these two need a kill in one of few places before the power loss
    pytest.param(local.LocalStorage, "settle", nothing, id="opening_syncs_nothing", marks=pytest.mark.slow),
    pytest.param(Core, "_settle", nothing, id="opening_trusts_the_cache", marks=pytest.mark.slow),
]


@pytest.mark.parametrize(("owner", "name", "mutant"), MUTANTS)
def test_the_simulation_catches_a_protocol_that_is_known_to_be_wrong(monkeypatch, owner, name, mutant):
    monkeypatch.setattr(owner, name, mutant)
    _, violations = live(range(60), monkeypatch)
    assert violations
