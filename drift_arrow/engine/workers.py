"""Threads for work that is cut in parts, one for each core that this process may use."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drift_arrow.kernels.parts import Work

Item = TypeVar("Item")
Result = TypeVar("Result")


class Workers:
    """Some threads, to be used by one caller in a ``with`` statement.

    Parameters
    ----------
    n_threads : int, optional
        At least 1; by default the cores that the process may run on.

    Notes
    -----
    Only work that releases the GIL gains. An error of one part is raised once no part runs any longer.
    """

    def __init__(self, n_threads: int | None = None) -> None:
        self.n_threads = n_threads or len(os.sched_getaffinity(0))
        self._pool = ThreadPoolExecutor(self.n_threads, "drift worker") if self.n_threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, work: Work, n_rows: int, part_rows: int) -> None:
        """Do all rows, in parts of at most `part_rows`; see `kernels.parts.RunParts`."""
        # as many parts as there are threads, or some times that many: none waits long for the last one
        part_rows = max(1, min(part_rows, -(-n_rows // self.n_threads)))
        self.map(lambda start: work(start, min(start + part_rows, n_rows)), range(0, n_rows, part_rows))

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """What `work` gives for each item, in their order."""
        if self._pool is None:
            return [work(item) for item in items]
        futures = [self._pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()
