"""A collection that has been through a runbook beside one that is built now from the same rows."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

import drift_arrow as drift
from search_bench.contender import K
from search_bench.data_set import KEY, VECTOR
from search_bench.frontier import qps_at
from search_bench.truth import distances_to, recalls
from streaming_bench.ours import Drift, as_table
from streaming_bench.stream import Stream

TARGETS: Final = (0.8, 0.9, 0.95, 0.99)
_ASKED: Final = 0.95
_CURVE: Final = (0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
_BATCH_ROWS: Final = 10_000
_TURN_QUERIES: Final = 20
_ROUNDS: Final = 15


class Point(NamedTuple):
    """Recall, and how many of anything fit into one: queries into a second, or queries into a scanned row."""

    recall: float
    qps: float


def recall_by_target(
    docs: Any, stream: Stream, queries: NDArray[np.float32], kth: NDArray[np.float64], targets: Any = TARGETS
) -> list[dict[str, float]]:
    """For each target the recall that is found, and the rows that are scanned per query.

    Parameters
    ----------
    docs : Collection
    queries : (m, dim) float32
    kth : (m,) float64
        Squared distances to their K-th neighbours.
    targets : sequence of float
        Recalls that are asked for.
    """
    found = []
    limits = np.repeat(kth[:, np.newaxis], K, axis=1)
    for target in targets:
        search = docs.search(queries).limit(K).target_recall(target)
        ids = search.select([KEY]).to_arrow()[KEY].to_numpy().reshape(len(queries), -1)
        recall = recalls(distances_to(stream.array("vectors"), queries, ids), limits, K).mean()
        scanned = search.explain()["scanned_rows"].sum() / len(queries)
        found.append({"target": float(target), "recall": float(recall), "scanned": float(scanned)})
    return found


def against_fresh(ours: Drift, stream: Stream) -> dict[str, Any]:
    """Time and scanned rows of one query against those of new collections at the recall that ours has found.

    Returns
    -------
    dict
        `targets` of ours and `fresh` of the new one; `recall` of ours at its target; `p50_ms` of ours; and
        `fresh_p50_ms`, `p50_ratio` and `scanned_ratio` against a new collection at that recall, the same with `alike_`
        against one that has as many rows in its memtable.

    Notes
    -----
    New collections have default options, so that all their rows but those in a memtable are in one segment. All are
    asked in turn, within one process, each with its caches warm.
    """
    last = max(number for number, step in enumerate(stream.steps) if step.op == "search")
    queries, kth = stream.queries(stream.steps[last]), stream.kth(stream.steps[last])
    unflushed = {"fresh": 0, "alike": ours.docs.stats().memtable_rows}
    with tempfile.TemporaryDirectory(dir=stream.folder.parent) as folder, drift.connect(folder) as db:
        twins = {name: _build(db, name, stream, last, rows) for name, rows in unflushed.items()}
        mine = recall_by_target(ours.docs, stream, queries, kth)
        curves = {name: recall_by_target(docs, stream, queries, kth, _CURVE) for name, docs in twins.items()}
        calls = {("ours", _ASKED): _one(ours.docs, _ASKED)}
        calls |= {(name, target): _one(docs, target) for name, docs in twins.items() for target in _CURVE}
        times = _alternate(calls, queries)
    asked = next(one for one in mine if one["target"] == _ASKED)
    found = {
        "targets": mine,
        "fresh": curves["fresh"],
        "recall": asked["recall"],
        "p50_ms": times["ours", _ASKED] * 1e3,
    }
    for name, curve in curves.items():
        seconds, scanned = _at_recall(asked["recall"], curve, {target: times[name, target] for target in _CURVE})
        prefix = "" if name == "fresh" else f"{name}_"
        found[f"{prefix}fresh_p50_ms"] = seconds * 1e3
        found[f"{prefix}p50_ratio"] = times["ours", _ASKED] / seconds
        found[f"{prefix}scanned_ratio"] = asked["scanned"] / scanned
    return found


def _at_recall(recall: float, curve: list[dict[str, float]], times: dict[float, float]) -> tuple[float, float]:
    """Seconds and scanned rows of one query at a recall, or at the greatest that there is if it is less."""
    recall = min(recall, max(one["recall"] for one in curve))
    by_time = [Point(one["recall"], 1 / times[one["target"]]) for one in curve]
    by_rows = [Point(one["recall"], 1 / max(1.0, one["scanned"])) for one in curve]
    return 1 / qps_at(by_time, recall), 1 / qps_at(by_rows, recall)


def _build(db: Any, name: str, stream: Stream, until: int, n_unflushed: int) -> Any:
    """A collection of the rows alive; the last so many stay in its memtable."""
    numbers = np.flatnonzero(stream.alive(until))
    table = as_table(numbers, np.array(stream.array("vectors")[numbers]))
    docs = db.create_collection(name, schema=table.schema, vector=VECTOR, key=KEY, metric=stream.metric)
    n_flushed = len(table) - n_unflushed
    for start in range(0, n_flushed, _BATCH_ROWS):
        docs.add(table.slice(start, min(_BATCH_ROWS, n_flushed - start)))
    docs.flush()
    if n_unflushed:
        docs.add(table.slice(n_flushed))
    return docs


def _one(docs: Any, target: float) -> Callable[[NDArray[np.float32]], object]:
    def ask(query: NDArray[np.float32]) -> object:
        return docs.search(query).limit(K).target_recall(target).select([KEY]).to_arrow()

    return ask


def _alternate(calls: dict[Any, Callable[[NDArray[np.float32]], object]], queries: NDArray[np.float32]) -> Any:
    """Median seconds of one query for each; short turns in shuffled order, all with the same queries."""
    times: dict[Any, list[float]] = {who: [] for who in calls}
    order, shuffle = list(calls), random.Random(0).shuffle
    for turn in range(_ROUNDS):
        shuffle(order)
        mine = [queries[(turn * _TURN_QUERIES + number) % len(queries)] for number in range(_TURN_QUERIES)]
        for who in order:
            calls[who](mine[0])
            for query in mine:
                started = time.perf_counter()
                result = calls[who](query)
                times[who].append(time.perf_counter() - started)
                del result
    return {who: statistics.median(found) for who, found in times.items()}
