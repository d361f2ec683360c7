"""The runbooks, in the style of the streaming track of NeurIPS'23 (big-ann-benchmarks): a search after every change."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streaming_bench.moving import MovingMixture
from streaming_bench.real import commits, descriptors
from streaming_bench.stream import Draft, Stream

_DIM: Final = 96
_ROUNDS: Final = 14
_CHURN: Final = 0.3
_LEAST_QUERIES: Final = 50
_SPARE: Final = 2.4

_SPEED: Final = 0.4
"""Way of a centre per round, in distances between two of them."""

# of big-ann-benchmarks, neurips23/streaming: alternating rounds of much and little of each cluster
_DIRICHLET: Final = (100.0, 15.0, 10.0, 5.0, 3.0)
_DELETED: Final = (0.5, 0.9)

_LIFETIMES: Final = ((1, 0.3), (4, 0.4), (100, 0.3))
"""Rounds that a row lives, and the share of such rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a run is.

    Parameters
    ----------
    rows : int
        Alive at once in a generated runbook, about.
    queries : int
        Per search.
    share : float
        Of a real set that is taken, from its beginning.
    pause : int
        Milliseconds between two searches of `deletion`.
    seed : int
    """

    rows: int = 60_000
    queries: int = 400
    share: float = 1.0
    pause: int = 1_000
    seed: int = 7

    def scaled(self, factor: float) -> Size:
        """So many times the rows, and fewer queries with fewer rows."""
        queries = max(_LEAST_QUERIES, int(self.queries * min(1.0, 2 * factor)))
        return replace(self, rows=int(self.rows * factor), queries=queries, share=self.share * factor)


def clustered(size: Size) -> Draft:
    """Topics come and go in shares drawn per round, their centres move, the oldest of each topic are deleted first."""
    rng = np.random.default_rng([size.seed, 1])
    moving = MovingMixture(size.rows, _DIM, speed=_SPEED, seed=size.seed)
    draft = Draft("clustered", "l2", moving.draw(size.queries, 0, rng)[0])
    shares = _dirichlet(moving.n_topics, rng)
    topics = np.empty(0, dtype=np.int64)
    for time in range(_ROUNDS):
        share = shares[:, time % len(_DIRICHLET)]
        # seven tenths are deleted on average, so that so many must come
        rows, owners = moving.draw(size.rows if time == 0 else int(size.rows * 0.7), time, rng, share)
        draft.insert(rows)
        topics = np.concatenate([topics, owners])
        draft.search(moving.draw(size.queries, time, rng, share)[0])
        if time < _ROUNDS - 1:
            draft.delete(_oldest_of_each(draft.live, topics, rng))
            draft.search(moving.draw(size.queries, time, rng, share)[0])
    return draft


def sliding(size: Size) -> Draft:
    """A window over rows whose centres move."""
    rng = np.random.default_rng([size.seed, 2])
    moving = MovingMixture(size.rows, _DIM, speed=_SPEED, seed=size.seed)
    rows = np.concatenate([moving.draw(size.rows, 0, rng)[0], *_later(moving, size, rng)])
    # the queries of a round are as its newest rows are
    held_out = [moving.draw(size.queries, time, rng)[0] for time in range(_ROUNDS + 1)]
    return windowed(Draft("sliding", "l2", moving.draw(size.queries, 0, rng)[0]), rows, size.rows, held_out)


def _later(moving: MovingMixture, size: Size, rng: np.random.Generator) -> list[NDArray[np.float32]]:
    return [moving.draw(int(size.rows * _CHURN), time, rng)[0] for time in range(1, _ROUNDS + 1)]


def windowed(draft: Draft, rows: NDArray[np.float32], n_live: int, held_out: list[NDArray[np.float32]]) -> Draft:
    """Rows in their order: each round deletes the oldest share of the window and inserts as many of the next.

    Parameters
    ----------
    held_out : list of (m, dim) float32
        Queries of the first window and of each round. After a deletion, those of the round before are asked again.
    """
    draft.insert(rows[:n_live])
    draft.search(held_out[0])
    step = int(n_live * _CHURN)
    for time, (before, after) in enumerate(itertools.pairwise(held_out)):
        draft.delete(draft.live[:step])
        draft.search(before)
        draft.insert(rows[n_live + time * step : n_live + (time + 1) * step])
        draft.search(after)
    return draft


def expiration(size: Size) -> Draft:
    """Every row has a lifetime: many live for a round, some for four, some to the end."""
    rng = np.random.default_rng([size.seed, 3])
    moving = MovingMixture(size.rows, _DIM, speed=_SPEED, seed=size.seed)
    draft = Draft("expiration", "l2", moving.draw(size.queries, 0, rng)[0])
    ends = np.empty(0, dtype=np.int64)
    for time in range(_ROUNDS):
        rows, _ = moving.draw(size.rows // 2 if time == 0 else size.rows // 5, time, rng)
        draft.insert(rows)
        ends = np.concatenate([ends, time + _lifetimes(len(rows), rng)])
        draft.search(moving.draw(size.queries, time, rng)[0])
        live = draft.live
        draft.delete(live[ends[live] <= time + 1])
        draft.search(moving.draw(size.queries, time, rng)[0])
    return draft


def deletion(size: Size) -> Draft:
    """A shift of the centres, half of all rows deleted at random, then searches with time between them."""
    rng = np.random.default_rng([size.seed, 4])
    moving = MovingMixture(size.rows, _DIM, speed=_SPEED, seed=size.seed)
    draft = Draft("deletion", "l2", moving.draw(size.queries, 0, rng)[0])
    draft.insert(moving.draw(size.rows * 3 // 5, 0, rng)[0])
    draft.search(moving.draw(size.queries, 0, rng)[0])
    for time in range(1, 9):
        draft.insert(moving.draw(size.rows // 20, time, rng)[0])
        draft.search(moving.draw(size.queries, time, rng)[0])
    draft.delete(rng.permutation(draft.live)[: len(draft.live) // 2])
    for _ in range(12):
        draft.search(_both(moving, size, rng))
        draft.wait(size.pause)
    draft.search(_both(moving, size, rng))
    return draft


def _both(moving: MovingMixture, size: Size, rng: np.random.Generator) -> NDArray[np.float32]:
    """Half of the queries are as the first rows were, half as the newest."""
    return np.concatenate([moving.draw(size.queries // 2, time, rng)[0] for time in (0, 8)])


def _dirichlet(n_topics: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(n_topics, 5) shares of each topic in each round."""
    return np.stack([rng.permutation(rng.dirichlet(_DIRICHLET)) for _ in range(n_topics)])


def _oldest_of_each(live: NDArray[np.int64], topics: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Of each topic the oldest rows, between half of it and nine tenths."""
    gone = []
    for topic in np.unique(topics[live]).tolist():
        mine = live[topics[live] == topic]
        gone.append(mine[: int(len(mine) * rng.uniform(*_DELETED))])
    return np.sort(np.concatenate(gone))


def _lifetimes(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    rounds, shares = zip(*_LIFETIMES, strict=True)
    drawn: NDArray[np.int64] = rng.choice(np.array(rounds), size=count, p=shares)
    return drawn


RUNBOOKS: Final[dict[str, Callable[[Size], Draft]]] = {
    "clustered": clustered,
    "sliding": sliding,
    "expiration": expiration,
    "deletion": deletion,
}
"""Of generated rows."""

REAL: Final = {"sift100k": (descriptors, "sift100k.npz"), "gitlog256": (commits, "gitlog256.parquet")}
"""Windows over rows in the order of their time."""

NAMES: Final = (*RUNBOOKS, *REAL)


def prepare(name: str, size: Size, data: Path, cache: Path) -> Stream | str:
    """A runbook by its name, from the cache if it is there; else why there is none."""
    folder = cache / "streams" / f"{name}-{size.rows}-{size.queries}-{size.share:g}-{size.seed}"
    if (folder / "stream.json").exists():
        return Stream.open(folder)
    if name in RUNBOOKS:
        return RUNBOOKS[name](size).store(folder)
    read, file = REAL[name]
    if not (data / "vectors" / file).exists():
        return f"{name} is absent: no {file} in {data / 'vectors'}"
    metric, rows = read(data / "vectors" / file)
    return in_time_order(name, metric, rows[: int(len(rows) * size.share)], size).store(folder)


def in_time_order(name: str, metric: str, rows: NDArray[np.float32], size: Size) -> Draft:
    """A sliding window; queries are rows of the window that were held out."""
    rng = np.random.default_rng([size.seed, 5])
    is_query = rng.random(len(rows)) < _held_out_share(len(rows), size)
    places, kept = np.flatnonzero(is_query), np.flatnonzero(~is_query)
    n_live = int(len(kept) / (1 + _ROUNDS * _CHURN))
    held_out = []
    for time in range(_ROUNDS + 1):
        first = time * int(n_live * _CHURN)
        # of all held out, those that lie between the first and the last row of a window
        low, high = kept[first], kept[first + n_live - 1]
        held_out.append(rng.permutation(places[(places >= low) & (places <= high)]))
    tuning = rows[held_out[0][size.queries : 2 * size.queries]]
    asked = [rows[inside[: size.queries]] for inside in held_out]
    return windowed(Draft(name, metric, tuning), rows[kept], n_live, asked)


def _held_out_share(n_rows: int, size: Size) -> float:
    """So much that the first window has queries to search and to tune by, and some to spare."""
    return min(0.2, _SPARE * size.queries * (1 + _ROUNDS * _CHURN) / n_rows)
