"""Where the time of a search goes."""

from __future__ import annotations

from time import perf_counter


class Laps:
    """Seconds by stage, of one thread.

    Attributes
    ----------
    seconds : dict of str to float
        Of every stage so far.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = perf_counter()

    def lap(self, stage: str) -> None:
        """Count the time since the last lap towards `stage`."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now
