"""The background thread of an open collection: flushes, builds graphs, heals, deletes what nobody names."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drift_arrow.engine.graph_builder import GraphBuilder
from drift_arrow.engine.heal.upkeep import Upkeep
from drift_arrow.errors import PoisonedError
from drift_arrow.options import JANITOR_RETRY_S

if TYPE_CHECKING:
    from drift_arrow.engine.core import Core


class Janitor:
    """Works when woken, sleeps otherwise; an error is kept for the next caller and the work is tried again later.

    Parameters
    ----------
    core : Core
        The collection; `start` sets its `wake_janitor`.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._graphs = GraphBuilder()
        self._upkeep = Upkeep(core)
        self._wake = threading.Event()
        self._stopping = False
        self._has_tidied = False
        self._thread = threading.Thread(target=self._run, name=f"janitor {core.storage.uri}", daemon=True)

    def start(self) -> None:
        """Begin; whatever an earlier process left to do is done first."""
        self._core.wake_janitor = self._wake.set
        self._wake.set()
        self._thread.start()

    def stop(self) -> None:
        """Return when the step that runs has ended; no new one begins."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        delay_s: float | None = None
        while True:
            self._wake.wait(timeout=delay_s)
            self._wake.clear()
            if self._stopping:
                return
            try:
                delay_s = self._work()
            except Exception as error:  # noqa: BLE001 - a background thread: the next call raises it
                self._core.report_background_error(error)
                # a failed log stays so until the collection is opened again
                delay_s = None if isinstance(error, PoisonedError) else JANITOR_RETRY_S

    def _work(self) -> float | None:
        """Do what there is to do, flushes first; give the seconds until there may be more, None for when woken."""
        if not self._has_tidied:
            self._core.maintenance.collect_garbage()
            self._has_tidied = True
        while not self._stopping:
            if self._core.maintenance.flush_frozen():
                continue
            delay_s = self._graphs.step(self._core.snapshot.memtables[-1], self._core.options.graph_rows)
            if delay_s == 0:
                continue
            delays = [delay for delay in (delay_s, self._upkeep.step()) if delay is not None]
            if 0 not in delays:
                return min(delays, default=None)
        return None
