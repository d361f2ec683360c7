"""Counts what numba compiles for this package, and says so where it takes long."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any, Final

from numba.core import event

_PATIENCE: Final = 2.0
"""Seconds of compiling after which whoever waits is told what for."""

_NOTICE: Final = (
    "drift: compiling kernels, which happens once per machine and version and may take half a minute; "
    "`drift-cli warmup` does it ahead\n"
)


class CompileWatch(event.Listener):
    """Listens to the compiler, which raises its events under a lock of its own. A load from the cache is no event.

    Attributes
    ----------
    n_compiled : int
        Kernels that were compiled in this process, each once per type of its arguments.
    is_quiet : bool
        Whether there is no notice, or no further one.
    """

    def __init__(self) -> None:
        self.n_compiled = 0
        self.is_quiet = False
        self._seconds = 0.0
        self._began: list[float] = []
        self._collects = False

    def on_start(self, event: Any) -> None:
        """A kernel is compiled, perhaps on behalf of another one."""
        if not _is_ours(event):
            return
        if not self._began:
            # a tenth of the time, spent on looking through what the compiler keeps anyway
            self._collects = gc.isenabled()
            gc.disable()
        self._began.append(time.monotonic())
        self._notify(self._seconds + self._began[-1] - self._began[0])

    def on_end(self, event: Any) -> None:
        """A kernel was compiled, or failed to be."""
        if not _is_ours(event) or not self._began:
            return
        seconds = time.monotonic() - self._began.pop()
        self.n_compiled += 1
        if not self._began:
            if self._collects:
                gc.enable()
            self._seconds += seconds
            self._notify(self._seconds)

    def _notify(self, seconds: float) -> None:
        if seconds > _PATIENCE and not self.is_quiet:
            self.is_quiet = True
            sys.stderr.write(_NOTICE)
            sys.stderr.flush()


def _is_ours(event: Any) -> bool:
    function = getattr(event.data["dispatcher"], "py_func", None)
    return str(getattr(function, "__module__", "")).startswith(__name__.partition(".")[0] + ".")


WATCH: Final = CompileWatch()
"""The one of this process."""
