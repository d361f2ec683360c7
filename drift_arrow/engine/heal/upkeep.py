"""Healing in the background: when a plan is worth making, and how much of it may be done now."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.heal.allowance import MOVES_PER_CHURNED_ROW, Allowance
from drift_arrow.engine.heal.healer import Healer

if TYPE_CHECKING:
    from collections.abc import Callable

    from drift_arrow.engine.core import Core
    from drift_arrow.engine.snapshot import Snapshot

_LEAST_ROWS: Final = 4096
"""In segments: fewer are scanned so fast that nothing is gained."""

_NOTICED_SHARE: Final = 0.05
"""Of the rows: so many must have died for another plan."""

_CALM_ROWS: Final = 256
_LOOK_S: Final = 0.05
"""While more rows than that are written or deleted between two looks, healing waits,"""

_PATIENCE_S: Final = 10.0
"""but for no longer than this."""

_LEAST_SHARE: Final = 0.1
"""Of the rows: before a plan is made, the budget must allow so many to move, or all that a step may."""


class Upkeep:
    """What the Janitor does for one collection when there is nothing to flush.

    Parameters
    ----------
    core : Core
        The open collection.
    clock : callable
        Seconds that never go back.
    """

    def __init__(self, core: Core, clock: Callable[[], float] = time.monotonic) -> None:
        self._core = core
        self._clock = clock
        self._healer = Healer(core)
        self._allowance = Allowance(max(1, core.options.heal_rows_per_s), clock)
        # whatever earlier processes left to do
        self._credit = sum(view.n_live for view in core.snapshot.segments)
        self._seen: tuple[int, ...] = ()
        self._churned = 0
        self._busy_since: float | None = None

    def step(self) -> float | None:
        """Do one step if there is one to do.

        Returns
        -------
        float or None
            Seconds until the next call is due, 0 for at once, or None: when rows were written or deleted.
        """
        core = self._core
        snapshot = core.snapshot
        seen = _state(snapshot)
        n_live = sum(view.n_live for view in snapshot.segments)
        is_small = sum(view.n_rows for view in snapshot.segments) < _LEAST_ROWS
        if not core.options.heal_rows_per_s or seen == self._seen or is_small:
            return None
        if self._is_busy():
            return _LOOK_S
        delay_s = self._allowance.delay_s()
        if delay_s:
            return delay_s
        most = self._credit + MOVES_PER_CHURNED_ROW * core.churned_rows - core.moved_rows
        if most < min(self._allowance.capacity, _LEAST_SHARE * n_live):
            return None
        before = core.moved_rows
        self._healer.step(min(most, self._allowance.capacity))
        moved = core.moved_rows - before
        if not moved:
            self._seen = seen
            return None
        self._allowance.spend(moved)
        return self._allowance.delay_s()

    def _is_busy(self) -> bool:
        """Whether writers should have the processor for themselves."""
        churned, now = self._core.churned_rows, self._clock()
        is_calm = churned - self._churned <= _CALM_ROWS
        self._churned = churned
        if is_calm:
            self._busy_since = None
            return False
        if self._busy_since is None:
            self._busy_since = now
        return now - self._busy_since < _PATIENCE_S


def _state(snapshot: Snapshot) -> tuple[int, ...]:
    """Changes when segments do, and when many more rows are dead."""
    n_rows = sum(view.n_rows for view in snapshot.segments)
    dead = n_rows - sum(view.n_live for view in snapshot.segments)
    return (*(id(view.reader) for view in snapshot.segments), int(dead / max(1.0, _NOTICED_SHARE * n_rows)))
