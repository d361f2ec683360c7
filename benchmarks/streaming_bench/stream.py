"""A runbook as files that every process opens for itself: steps, rows, queries, and the true neighbours of each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K
from search_bench.truth import nearest_distances

OPERATIONS: Final = ("insert", "delete", "search", "wait")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a runbook.

    Parameters
    ----------
    op : str
        ``insert`` rows, ``delete`` rows, ``search`` for queries, or ``wait`` so many milliseconds.
    start, stop : int
        Of the vectors, of the deleted numbers, or of the queries; 0 and milliseconds of a wait.
    n_live : int
        Rows alive after it.
    """

    op: str
    start: int
    stop: int
    n_live: int

    @property
    def size(self) -> int:
        """Rows, queries or milliseconds."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Stream:
    """A runbook in a folder.

    Parameters
    ----------
    folder : Path
        With `vectors.npy` (n, dim) float32 in order of insertion: a row's number is its key; `deleted.npy` numbers of
        rows; `queries.npy` (m, dim) float32; `kth.npy` (m,) float64 squared distance to the K-th neighbour alive at
        that step; `tuning.npy` and `tuning_kth.npy` for the state after the first step; and `stream.json`.
    name, metric : str
        ``l2``, or ``cosine`` of unit vectors, for which l2 gives the same order.
    steps : tuple of Step
        The first inserts what there is at the beginning.
    """

    folder: Path
    name: str
    metric: str
    steps: tuple[Step, ...]

    @classmethod
    def open(cls, folder: Path) -> Stream:
        """A runbook that `Draft.store` wrote."""
        about = json.loads((folder / "stream.json").read_text())
        return cls(folder, about["name"], about["metric"], tuple(Step(**step) for step in about["steps"]))

    def array(self, name: str) -> NDArray[Any]:
        """One of its files, mapped."""
        mapped: NDArray[Any] = np.load(self.folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        return mapped

    @property
    def dim(self) -> int:
        """Dimensions."""
        return int(self.array("vectors").shape[1])

    @property
    def most_live(self) -> int:
        """Rows alive at once, at most."""
        return max(step.n_live for step in self.steps)

    def rows(self, step: Step) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Numbers and vectors that a step inserts, in memory."""
        vectors = np.array(self.array("vectors")[step.start : step.stop])
        return np.arange(step.start, step.stop), vectors

    def deleted(self, step: Step) -> NDArray[np.int64]:
        """Numbers that a step deletes, in memory."""
        return np.array(self.array("deleted")[step.start : step.stop])

    def queries(self, step: Step) -> NDArray[np.float32]:
        """(m, dim) of a search, in memory."""
        return np.array(self.array("queries")[step.start : step.stop])

    def kth(self, step: Step) -> NDArray[np.float64]:
        """(m,) squared distances to the K-th neighbours."""
        return np.array(self.array("kth")[step.start : step.stop])

    def alive(self, until: int) -> NDArray[np.bool_]:
        """(n,) rows alive after steps [0, until)."""
        mask = np.zeros(len(self.array("vectors")), dtype=np.bool_)
        for step in self.steps[:until]:
            _apply(mask, step, self)
        return mask


def _apply(mask: NDArray[np.bool_], step: Step, stream: Stream) -> None:
    if step.op == "insert":
        mask[step.start : step.stop] = True
    if step.op == "delete":
        mask[stream.deleted(step)] = False


@dataclass(slots=True)
class Draft:
    """A runbook that is being made.

    Parameters
    ----------
    name, metric : str
    tuning : (m, dim) float32
        Queries of the first state that no search asks.
    """

    name: str
    metric: str
    tuning: NDArray[np.float32]
    _steps: list[Step] = field(default_factory=list)
    _vectors: list[NDArray[np.float32]] = field(default_factory=list)
    _deleted: list[NDArray[np.int64]] = field(default_factory=list)
    _queries: list[NDArray[np.float32]] = field(default_factory=list)
    _live: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, dtype=np.bool_))

    @property
    def live(self) -> NDArray[np.int64]:
        """Numbers of the rows alive now, ascending: oldest first."""
        return np.flatnonzero(self._live)

    def insert(self, vectors: NDArray[np.float32]) -> NDArray[np.int64]:
        """Rows to be inserted; returns their numbers."""
        start = len(self._live)
        self._vectors.append(vectors)
        self._live = np.concatenate([self._live, np.ones(len(vectors), dtype=np.bool_)])
        self._step("insert", start, len(self._live))
        return np.arange(start, len(self._live))

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Rows to be deleted, all of them alive."""
        start = sum(map(len, self._deleted))
        self._deleted.append(numbers)
        self._live[numbers] = False
        self._step("delete", start, start + len(numbers))

    def search(self, queries: NDArray[np.float32]) -> None:
        """Queries to be asked."""
        start = sum(map(len, self._queries))
        self._queries.append(queries)
        self._step("search", start, start + len(queries))

    def wait(self, milliseconds: int) -> None:
        """Time in which nobody asks for anything."""
        self._step("wait", 0, milliseconds)

    def _step(self, op: str, start: int, stop: int) -> None:
        self._steps.append(Step(op, start, stop, int(self._live.sum())))

    def store(self, folder: Path) -> Stream:
        """Find all true neighbours and write all; `stream.json` comes last, so that a folder that has it is whole."""
        folder.mkdir(parents=True, exist_ok=True)
        vectors, queries = _joined(self._vectors), _joined(self._queries)
        deleted = np.concatenate([*self._deleted, np.empty(0, dtype=np.int64)])
        first = vectors[: self._steps[0].stop]
        for name, array in (
            ("vectors", vectors),
            ("queries", queries),
            ("deleted", deleted),
            ("tuning", _joined([self.tuning])),
            ("tuning_kth", nearest_distances(first, self.tuning, K)[:, K - 1]),
        ):
            np.save(folder / f"{name}.npy", array)
        stream = Stream(folder, self.name, self.metric, tuple(self._steps))
        np.save(folder / "kth.npy", _true_kth(stream))
        about = {"name": self.name, "metric": self.metric, "steps": [asdict(step) for step in self._steps]}
        (folder / "stream.json").write_text(json.dumps(about))
        return stream


def _true_kth(stream: Stream) -> NDArray[np.float64]:
    vectors = stream.array("vectors")
    mask = np.zeros(len(vectors), dtype=np.bool_)
    found: list[NDArray[np.float64]] = []
    for step in stream.steps:
        _apply(mask, step, stream)
        if step.op == "search":
            found.append(nearest_distances(vectors[mask], stream.queries(step), K)[:, K - 1])
    return np.concatenate(found)


def _joined(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.concatenate(parts), dtype=np.float32)
