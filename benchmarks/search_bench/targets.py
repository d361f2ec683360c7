"""Recall that is asked for beside recall that is found, and rows scanned beside the best fixed number of buckets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import drift_arrow as drift
from harness.report import Bar, aligned
from probing import TARGETS, TOLERANCE, fixed_curve, found_distances
from probing import measure as measure_search
from search_bench.contender import K
from search_bench.data_set import DataSet

_OFF: Final = 0.02


def measure(folder: str, index: str) -> list[dict[str, float]]:
    """Target, recall, buckets, rows scanned, and rows that fixed numbers of buckets scan for the recall found."""
    data = DataSet.open(Path(folder))
    found = []
    with drift.connect(index) as db:
        docs = db.collection("bench", read_only=True)
        search = docs.search(data.queries)
        farthest = found_distances(search.exact(), K)[:, -1]
        farthest = farthest + np.float32(TOLERANCE) * (np.abs(farthest) if docs.metric == "l2" else 1)
        fixed = fixed_curve(search, K, farthest)
        for target in TARGETS:
            recall, rows, buckets = measure_search(search.target_recall(target), K, farthest)
            at_recall = float(np.interp(recall, fixed[:, 0], fixed[:, 1]))
            entry = {"target": target, "recall": recall, "buckets": buckets, "rows": rows, "fixed_rows": at_recall}
            found.append(entry)
    return found


def show(name: str, found: Sequence[dict[str, float]]) -> None:
    """One line per target."""
    head = ("target recall", "found", "buckets", "rows", "rows of the best fixed number")
    lines = [
        (
            f"{one['target']:g}",
            f"{one['recall']:.4f}",
            f"{one['buckets']:.1f}",
            f"{one['rows']:,.0f}",
            f"{one['fixed_rows']:,.0f}",
        )
        for one in found
    ]
    print(f"\n-- {name}: calibration\n{aligned(head, lines)}", flush=True)


def bars(name: str, found: Sequence[dict[str, Any]]) -> list[Bar]:
    """How far the recalls are off, and how many more rows are scanned than need be."""
    off = max(abs(one["recall"] - one["target"]) for one in found)
    more = max(one["rows"] / one["fixed_rows"] for one in found)
    recalls = ", ".join(f"{one['target']:g}: {one['recall']:.4f}" for one in found)
    rows = ", ".join(f"{one['target']:g}: {one['rows']:,.0f} of {one['fixed_rows']:,.0f}" for one in found)
    return [
        Bar(name=f"{name}: recall off its target, worst", value=off, limit=_OFF, at_most=True, note=recalls),
        Bar(name=f"{name}: rows / best fixed number, worst", value=more, limit=1, at_most=True, note=rows),
    ]
