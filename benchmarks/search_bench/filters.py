"""Searches that are restricted to some rows, of several shares, near the query or far from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from harness.report import Bar, aligned
from search_bench.contender import K, Range
from search_bench.data_set import DataSet, store
from search_bench.frontier import qps_at
from search_bench.sweep import Budget, Player, Point, Sweep
from search_bench.truth import nearest_distances

CONTENDERS: Final = ("drift", "faiss-ivf-sq8", "lancedb")
MADE: Final = "faiss-ivf-sq8, made"
"""FAISS if the bitmap of the allowed rows is made by the search, as the others do, instead of being at hand."""

_QUERIES: Final = 200
_RECALL: Final = 0.95
_FASTER: Final = 2.0


@dataclass(frozen=True, slots=True)
class Case:
    """A range of rows, and the queries that are asked within it.

    Parameters
    ----------
    name : str
    within : Range
        Of ``chance``, which knows nothing of the vectors, or of ``near``, the rank of a row by its distance to one
        anchor. Both are even over [0, 1).
    """

    name: str
    within: Range

    @property
    def is_anchored(self) -> bool:
        """Whether the queries are those nearest to the anchor."""
        return self.within.column == "near"


CASES: Final = (
    Case("50 %", Range("chance", 0.0, 0.5)),
    Case("10 %", Range("chance", 0.0, 0.1)),
    Case("1 %", Range("chance", 0.0, 0.01)),
    Case(".01 %", Range("chance", 0.0, 0.0001)),
    Case("10 %, correlated", Range("near", 0.0, 0.1)),
    Case("1 %, correlated", Range("near", 0.0, 0.01)),
    Case("10 %, anti-correlated", Range("near", 0.9, 1.0)),
    Case("1 %, anti-correlated", Range("near", 0.99, 1.0)),
)


def with_ranks(data: DataSet, cache: Path) -> DataSet:
    """The same set with `chance` and `near` as payload, from the cache if it is there."""
    folder = cache / "sets" / f"{data.name}-filters"
    if (folder / "set.json").exists():
        return DataSet.open(folder)
    n_rows = len(data.vectors)
    payload = pa.table(
        {
            "ts": data.payload["ts"],
            "chance": np.random.default_rng(11).permutation(n_rows).astype(np.float64) / n_rows,
            "near": _ranks(data.vectors, data.queries[0]) / n_rows,
        }
    )
    return store(
        folder,
        name=folder.name,
        metric=data.metric,
        vectors=data.vectors,
        queries=data.queries,
        true_distances=data.true_distances,
        payload=payload,
    )


def _ranks(rows: NDArray[np.float32], anchor: NDArray[np.float32]) -> NDArray[np.float64]:
    distances = np.concatenate(
        [np.square(rows[i : i + 50_000] - anchor).sum(axis=1) for i in range(0, len(rows), 50_000)]
    )
    return np.argsort(np.argsort(distances, kind="stable")).astype(np.float64)


def questions(data: DataSet, case: Case, cache: Path) -> DataSet:
    """Queries and truth of a case, from the cache if they are there; `vectors` are those of the whole set."""
    folder = cache / "sets" / f"{data.name}-{CASES.index(case)}"
    if not (folder / "set.json").exists():
        queries = data.queries
        near = np.argsort(_ranks(queries, queries[0])) if case.is_anchored else np.arange(len(queries))
        queries = queries[near[:_QUERIES]]
        rows = np.flatnonzero(case.within.mask(data.payload))
        true = nearest_distances(np.asarray(data.vectors)[rows], queries, K)
        empty = pa.table({"ts": pa.array([], pa.int64())})
        store(
            folder,
            name=f"{data.name}, {case.name}",
            metric=data.metric,
            vectors=np.empty((0, queries.shape[1])),
            queries=queries,
            true_distances=true,
            payload=empty,
        )
        (folder / "vectors.npy").unlink()
        (folder / "vectors.npy").symlink_to(data.folder / "vectors.npy")
    return DataSet.open(folder)


def measure(data: DataSet, players: Sequence[Player], budget: Budget, cache: Path) -> dict[str, list[Point]]:
    """Points of all contenders, by case."""
    short = replace(budget, seconds=budget.seconds / len(CASES), scout_queries=min(50, budget.scout_queries), points=4)
    players = [*players, *(_making(player) for player in players if player.contender == "faiss-ivf-sq8")]
    found = {}
    for case in CASES:
        asked = questions(data, case, cache)
        for player in players:
            player.remote.ask("restrict", within=list(case.within))
            player.remote.ask("ask", folder=str(asked.folder))
        found[case.name] = Sweep(asked, players, short, is_batch=False).run()
    return found


def _making(player: Player) -> Player:
    """The same worker, which evaluates the range for every query."""
    single = [[{**setting, "bitmap": "made"} for setting in settings] for settings in player.sweeps["single"]]
    return replace(player, contender=MADE, sweeps={"single": single})


def _of(points: Sequence[Point], contender: str) -> list[Point]:
    return [point for point in points if point.contender == contender]


def _promised(points: Sequence[Point]) -> Point | None:
    """The one that asked for a recall of .95."""
    return next((point for point in points if point.setting.get("target_recall") == _RECALL), None)


def show(name: str, n_threads: int, found: dict[str, list[Point]]) -> None:
    """One line per case and contender."""
    head = ("rows allowed", "contender", "queries/s at .95", "best recall", "fewest rows back", "p50 ms at best")
    lines = []
    for case, points in found.items():
        for contender in dict.fromkeys(point.contender for point in points):
            mine = _of(points, contender)
            best = max(mine, key=lambda point: point.recall)
            speed = qps_at(mine, _RECALL)
            cells = ("-" if math.isnan(speed) else f"{speed:,.0f}", f"{best.recall:.4f}", str(best.rows))
            lines.append((case, contender, *cells, f"{best.percentile_ms(50):.3f}"))
    print(f"\n-- {name}: filters, {n_threads} thread{'s' * (n_threads > 1)}\n{aligned(head, lines)}", flush=True)


def bars(name: str, found: dict[str, list[Point]], n_rows: int) -> list[Bar]:
    """Recall and rows of the default search, and how many times faster than the others."""
    result = []
    for case in CASES:
        points = found.get(case.name, [])
        promised = _promised(_of(points, "drift"))
        if promised is None:
            continue
        title = f"{name}: filter of {case.name}"
        wanted = min(K, math.ceil(n_rows * (case.within.high - case.within.low) - 1e-6))
        note = f"{promised.qps:,.0f} queries/s at the default target"
        result += [
            Bar(name=f"{title}, recall", value=promised.recall, limit=_RECALL, note=note),
            Bar(name=f"{title}, fewest rows back", value=promised.rows, limit=wanted),
        ]
        mine = qps_at(_of(points, "drift"), _RECALL)
        for peer in (*CONTENDERS[1:], MADE):
            theirs = qps_at(_of(points, peer), _RECALL)
            note = f"{mine:,.0f} against {theirs:,.0f} queries/s"
            result.append(Bar(name=f"{title}, drift / {peer}", value=mine / theirs, limit=_FASTER, note=note))
    return result


def document(found: dict[str, list[Point]]) -> dict[str, Any]:
    """For JSON."""
    return {
        case: [
            {
                "contender": point.contender,
                "setting": {**point.variant, **point.setting},
                "recall": point.recall,
                "rows": point.rows,
                "qps": point.qps,
                "p50_ms": point.percentile_ms(50),
                "p99_ms": point.percentile_ms(99),
            }
            for point in points
        ]
        for case, points in found.items()
    }
