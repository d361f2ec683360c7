"""A Janitor that never works, so that what a test does decides alone what happens and in which order."""

from __future__ import annotations

from drift_arrow.engine.core import Core


class IdleJanitor:
    def __init__(self, core: Core) -> None: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...
