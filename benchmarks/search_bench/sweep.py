"""Finds the settings worth a measurement, then times them in turn."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from search_bench.data_set import DataSet
from search_bench.frontier import shortlist
from search_bench.remote import Remote, WorkerError
from search_bench.truth import distances_to, recalls

_LEAST_RECALL: Final = 0.7
_ENOUGH_RECALL: Final = 0.9985
_LEAST_ROUNDS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How long and how thoroughly.

    Parameters
    ----------
    seconds : float
        Of timed rounds, per set, number of threads and kind of search.
    turn : float
        Seconds of single queries in a row.
    queries : int
        For the recall of what is timed; slow contenders answer as many of them as `recall_seconds` allow.
    scout_queries : int
        For the first look at a setting.
    recall_seconds : float
    points : int
        Most settings of a contender that are timed.
    batch : int
        Queries of a batch.
    is_cpu : bool
        Queries per second of the processor instead of the wall clock; percentiles stay those of the wall clock.
    """

    seconds: float = 60.0
    turn: float = 0.05
    queries: int = 1_000
    scout_queries: int = 200
    recall_seconds: float = 20.0
    points: int = 10
    batch: int = 1_000
    is_cpu: bool = False


QUICK: Final = Budget(seconds=8.0, turn=0.02, queries=200, scout_queries=60, recall_seconds=2.0, points=6, batch=500)
"""To try things out."""


@dataclass(slots=True, kw_only=True)
class Point:
    """One setting of one contender, measured.

    Parameters
    ----------
    contender : str
    variant, setting : dict
    recall : float
        Mean recall@10.
    queries : int
        That the recall was measured with.
    rows : int
        Fewest that a query got back.
    qps : float
        Median over the turns.
    turns : list of float
        Queries per second of each turn.
    times : list of float
        Seconds of single queries.
    """

    contender: str
    variant: Setting
    setting: Setting
    recall: float
    qps: float
    queries: int = 0
    rows: int = 0
    turns: list[float] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def percentile_ms(self, percent: float) -> float:
        """Time of a query; nan of batches."""
        return float(np.percentile(self.times, percent)) * 1e3 if self.times else float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class Player:
    """A worker that has opened its index."""

    contender: str
    variant: Setting
    remote: Remote
    sweeps: dict[str, list[list[Setting]]]


class Sweep:
    """All that is measured about single queries, or about batches, on one set."""

    def __init__(self, data: DataSet, players: Iterable[Player], budget: Budget, *, is_batch: bool) -> None:
        self._data, self._players, self._budget, self._is_batch = data, list(players), budget, is_batch
        self._vectors, self._queries = data.vectors, data.queries
        self._true = data.true_distances
        # a filter may leave fewer
        self._k = min(K, self._true.shape[1])
        self._mode = "batch" if is_batch else "single"

    def run(self) -> list[Point]:
        """Points of all contenders, each near the frontier of its contender."""
        chosen: list[tuple[Player, Point]] = []
        for name in dict.fromkeys(player.contender for player in self._players):
            found = [
                (player, point) for player in self._players if player.contender == name for point in self._scout(player)
            ]
            kept = shortlist([point for _, point in found], least=_LEAST_RECALL, most=self._budget.points)
            chosen += [
                (player, point)
                for player, point in found
                if _is_promise(point) or any(point is other for other in kept)
            ]
        failed: set[Player] = set()
        for player, point in chosen:
            with _noting(player, failed, self._data.name):
                self._recall(player, point, self._budget.queries, self._budget.recall_seconds)
        self._rounds(chosen, failed)
        return [point for player, point in chosen if player not in failed]

    def _scout(self, player: Player) -> list[Point]:
        """A rough look at all settings of a worker; one that raises has none."""
        found = []
        try:
            for settings in player.sweeps[self._mode]:
                for setting in settings:
                    _note(f"{self._data.name}: {player.contender} {player.variant} {setting}")
                    point = Point(
                        contender=player.contender, variant=player.variant, setting=setting, recall=0.0, qps=0.0
                    )
                    n_queries = len(self._queries) if self._is_batch else self._budget.scout_queries
                    point.qps = 1 / self._recall(player, point, n_queries, self._budget.recall_seconds / 10)
                    found.append(point)
                    if point.recall >= _ENOUGH_RECALL and not _is_promise(point):
                        break
        except WorkerError as error:
            print(f"absent from {self._data.name}, {self._mode}: {error}")
        return found

    def _recall(self, player: Player, point: Point, n_queries: int, seconds: float) -> float:
        """Set the recall of a point; seconds per query."""
        n_queries = min(n_queries, len(self._queries))
        answer = player.remote.ask(
            "find", setting=point.setting, count=n_queries, seconds=seconds, is_batch=self._is_batch
        )
        ids: NDArray[np.int64] = np.asarray(answer["ids"], dtype=np.int64)
        found = distances_to(self._vectors, self._queries[: len(ids)], ids)
        point.recall = float(recalls(found, self._true[: len(ids)], self._k).mean())
        point.queries = len(ids)
        point.rows = int((ids >= 0).sum(axis=1).min())
        seconds_per_query: float = answer["seconds"]
        return seconds_per_query

    def _rounds(self, chosen: list[tuple[Player, Point]], failed: set[Player]) -> None:
        """Turns of every point, in rounds; contenders in an order that a fixed seed shuffles anew."""
        order, shuffle = list(chosen), random.Random(0).shuffle
        deadline, n_rounds = time.perf_counter() + self._budget.seconds, 0
        while n_rounds < _LEAST_ROUNDS or time.perf_counter() < deadline:
            shuffle(order)
            for player, point in order:
                _note(f"{self._data.name}: {self._mode} round {n_rounds + 1}")
                with _noting(player, failed, self._data.name):
                    self._take_turn(player, point, n_rounds)
            n_rounds += 1
        for player, point in chosen:
            if player not in failed:
                point.qps = float(np.median(point.turns))

    def _take_turn(self, player: Player, point: Point, number: int) -> None:
        if self._is_batch:
            # slow contenders were given fewer queries for their recall, too
            is_slow = point.queries < len(self._queries)
            count = min(point.queries, self._budget.batch) if is_slow else self._budget.batch
            answer: dict[str, Any] = player.remote.ask("batch", setting=point.setting, count=count)
            point.turns.append(count / answer["cpu" if self._budget.is_cpu else "seconds"])
            return
        # other queries every round, the same ones for all
        start = number * 101 % len(self._queries)
        answer = player.remote.ask("turn", setting=point.setting, seconds=self._budget.turn, start=start)
        times = answer["times"]
        point.turns.append(len(times) / (answer["cpu"] if self._budget.is_cpu else sum(times)))
        point.times += times


@contextmanager
def _noting(player: Player, failed: set[Player], name: str) -> Iterator[None]:
    """Say it once if a contender fails in the middle of a run, and go on with the others."""
    try:
        yield
    except WorkerError as error:
        if player not in failed:
            print(f"absent from {name}: {error}", flush=True)
        failed.add(player)


def _is_promise(point: Point) -> bool:
    """Whether a recall was asked for, so that nobody chose the setting because of what it finds."""
    return "target_recall" in point.setting


def _note(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text[:118]:<118}", end="", file=sys.stderr, flush=True)
