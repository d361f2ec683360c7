"""What takes part: names, packages, and what each must be able to do."""

from __future__ import annotations

import importlib
from importlib import util
from pathlib import Path
from typing import Final, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from search_bench.contender import Setting
from streaming_bench.stream import Stream

Figures = dict[str, float]
"""By name; what a contender cannot know is left out."""


class Contender(Protocol):
    """One index that follows a runbook; made anew in a process of its own."""

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        """Take note; `folder` is empty."""

    def warm(self) -> None:
        """Untimed and before memory is counted: load or compile what is loaded on first use."""

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Build from the rows of the first step."""

    def settings(self) -> list[Setting]:
        """Settings by ascending recall; one of them is chosen after `load`, for good."""

    def use(self, setting: Setting) -> None:
        """Search like this from now on."""

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Insert rows with new numbers, and do what is to be done after a step."""

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Delete rows, and do what is to be done after a step."""

    def settle(self, seconds: float) -> None:
        """Let work in the background end, for so long at most."""

    def one(self, query: NDArray[np.float32]) -> object:
        """Answer one query (dim,), timed."""

    def ids(self, answer: object) -> NDArray[np.int64]:
        """Numbers of the rows of an answer, untimed."""

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """What there is to count after a step.

        Parameters
        ----------
        queries : (m, dim) float32
            Those of the last search.
        written : int
            Bytes that the process has written since before `load`.

        Returns
        -------
        dict of str to float
            `scanned`: rows compared per query; `moved`: rows written again, or built again, since `load` began; `dead`:
            deleted rows that are still stored; `files`; `parts`: segments or fragments.
        """

    def close(self) -> None:
        """Let go of everything."""


class Entry(NamedTuple):
    """Module, class and package of a contender, how it is made, and threads of its pools, all on one core."""

    module: str
    attribute: str
    package: str
    variant: Setting
    n_threads: int = 1


ENTRIES: Final[dict[str, Entry]] = {
    "drift": Entry("streaming_bench.ours", "Drift", "drift_arrow", {}),
    "faiss-frozen": Entry("streaming_bench.faiss_ivf", "FaissIvf", "faiss", {"rebuild": 0.0}),
    "faiss-rebuild": Entry("streaming_bench.faiss_ivf", "FaissIvf", "faiss", {"rebuild": 1.0}),
    "hnswlib": Entry("streaming_bench.hnswlib_graph", "Hnswlib", "hnswlib", {}),
    # its index is never built if the pools have one thread: one waits for another
    "lancedb": Entry("streaming_bench.lance", "Lance", "lancedb", {}, n_threads=2),
    "original": Entry("streaming_bench.original", "Original", "numba", {}),
    "exact": Entry("streaming_bench.exact", "Exact", "numpy", {}),
}
"""``original`` is a model of the rule of the original plan; ``exact`` compares with every row."""

PEERS: Final = tuple(name for name in ENTRIES if name not in {"drift", "exact"})


def load(name: str) -> type[Contender]:
    """The class of a contender; imports its package."""
    entry = ENTRIES[name]
    return cast("type[Contender]", getattr(importlib.import_module(entry.module), entry.attribute))


def is_installed(name: str) -> bool:
    """Whether this environment has the package of a contender."""
    return util.find_spec(ENTRIES[name].package) is not None


def moved_rows(written: int, *, logged: float, row_bytes: float, inserted: int) -> float:
    """Rows that were written more than once, from all bytes written but those of a log."""
    return max(0.0, (written - logged) / row_bytes - inserted)
