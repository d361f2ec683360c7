"""Healing in the background: when a plan is worth making, and how much of it may be done now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drift_arrow.engine.heal.allowance import MOVES_PER_CHURNED_ROW, Allowance
from drift_arrow.engine.heal.healer import Healer

if TYPE_CHECKING:
    from drift_arrow.engine.core import Core
    from drift_arrow.engine.snapshot import Snapshot

_LEAST_ROWS: Final = 4096
"""In segments: fewer are scanned so fast that nothing is gained."""

_NOTICED_SHARE: Final = 0.05
"""Of the rows: so many must have died for another plan."""

_LEAST_SHARE: Final = 0.1
"""Of the rows: before a plan is made, the budget must allow so many to move, or all that a step may."""


class Upkeep:
    """What the Janitor does for one collection when there is nothing to flush.

    Parameters
    ----------
    core : Core
        The open collection.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._healer = Healer(core)
        self._allowance = Allowance(max(1, core.options.heal_rows_per_s))
        # whatever earlier processes left to do
        self._credit = sum(view.n_live for view in core.snapshot.segments)
        self._seen: tuple[int, ...] = ()

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
        if not core.options.heal_rows_per_s or seen == self._seen or n_live < _LEAST_ROWS:
            return None
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


def _state(snapshot: Snapshot) -> tuple[int, ...]:
    """Changes when segments do, and when many more rows are dead."""
    n_rows = sum(view.n_rows for view in snapshot.segments)
    dead = n_rows - sum(view.n_live for view in snapshot.segments)
    return (*(id(view.reader) for view in snapshot.segments), int(dead / max(1.0, _NOTICED_SHARE * n_rows)))
