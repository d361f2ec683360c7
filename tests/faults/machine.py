"""One of several machines that use one store: each has its own view of it, and may sleep at any of its steps."""

from __future__ import annotations

from collections.abc import Callable

from drift_arrow.engine.storage import Storage
from tests.faults.faulty_storage import Faults, FaultyStorage


class Sleep(Faults):
    """Sleeps once, before a step: the world goes on by `meanwhile`.

    Parameters
    ----------
    at : int or None
        The step; None never sleeps.
    meanwhile : callable
    """

    def __init__(self, at: int | None = None, meanwhile: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.at = at
        self._meanwhile = meanwhile

    def step(self, operation: str) -> None:
        number = self.steps
        super().step(operation)
        if number == self.at:
            self._meanwhile()


class Machine(FaultyStorage):
    """As `FaultyStorage`, under a URI of its own, so that no machine meets the open collections of another."""

    def __init__(self, inner: Storage, name: str, faults: Faults | None = None) -> None:
        super().__init__(inner, faults or Sleep())
        self._name = name
        self.uri = f"{name}:{inner.uri}"

    def child(self, name: str) -> Machine:
        return Machine(self._inner.child(name), self._name, self._faults)
