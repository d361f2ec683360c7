"""How many rows may be moved now: so many per second, and so many per row that was written or deleted."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BURST_S: Final = 30.0
"""Seconds whose rows may move at once: regions are worth more than the sum of their buckets."""

MOVES_PER_CHURNED_ROW: Final = 2
"""Rows that moved between segments, by flushes and by healing, per row that was written or deleted, up to which healing
goes on: flushes need a third of what is to be three at most."""


class Allowance:
    """A token bucket of rows.

    Parameters
    ----------
    rows_per_s : int
        At least 1.
    clock : callable
        Seconds that never go back.

    Notes
    -----
    Starts full. Not to be used by several threads.
    """

    def __init__(self, rows_per_s: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rows_per_s = rows_per_s
        self._clock = clock
        self._full_at = clock()

    @property
    def capacity(self) -> int:
        """Rows that a full bucket allows."""
        return int(self._rows_per_s * BURST_S)

    def delay_s(self) -> float:
        """Seconds until it is full, 0 if it is."""
        return max(0.0, self._full_at - self._clock())

    def spend(self, n_rows: int) -> None:
        """Take rows out of it."""
        self._full_at = max(self._full_at, self._clock()) + n_rows / self._rows_per_s
