"""What must be reached, on each runbook and with no call of a user."""

from __future__ import annotations

import math
from typing import Final

from harness.report import Bar
from streaming_bench.ablation import OURS, variant_name
from streaming_bench.records import Records
from streaming_bench.summary import Summary, summarise

_SLOWER_PEERS: Final = ("faiss-rebuild", "lancedb")
_WITHOUT: Final = variant_name("no healing")

_MOST_FILES: Final = 100
"""Segments, tombstones, manifests and logs of one version and of those before it that are not deleted yet."""


def bars(records: Records) -> list[Bar]:
    """All bars for which anything was measured."""
    found = []
    for runbook in records.runbooks():
        mine = summarise(records, runbook, OURS)
        if mine is None:
            continue
        found += [*_recall(runbook, mine), *_fresh(records, runbook), *_updates(records, runbook, mine)]
        found += [*_bounded(runbook, mine), *_targets(records, runbook)]
    return found


def _recall(runbook: str, mine: Summary) -> list[Bar]:
    note = f"first {mine.first:.4f}, last {mine.last:.4f}"
    return [
        Bar(name=f"{runbook}: mean recall at target .95", value=mine.mean, limit=0.95, note=note),
        Bar(name=f"{runbook}: recall of the worst step", value=mine.least, limit=0.93),
        Bar(name=f"{runbook}: rows found dead or twice", value=mine.wrong, limit=0, at_most=True),
    ]


def _fresh(records: Records, runbook: str) -> list[Bar]:
    end = records.end(runbook, OURS)
    if end is None or "p50_ratio" not in end:
        return []
    note = f"{end['p50_ms']:.3f} against {end['fresh_p50_ms']:.3f} ms at recall {end['recall']:.4f}"
    note += f"; {end['alike_p50_ratio']:.3f} if it had as many rows in its memtable"
    name = f"{runbook}: p50 at the end / newly built"
    found = [Bar(name=name, value=end["p50_ratio"], limit=1.3, at_most=True, note=note)]
    if runbook == "deletion":
        name = f"{runbook}: scanned rows at the end / newly built"
        note = f"{end['alike_scanned_ratio']:.3f} if it had as many rows in its memtable"
        found.append(Bar(name=name, value=end["scanned_ratio"], limit=1.2, at_most=True, note=note))
    return found


def _updates(records: Records, runbook: str, mine: Summary) -> list[Bar]:
    found = []
    for peer in _SLOWER_PEERS:
        theirs = summarise(records, runbook, peer)
        rate = math.nan if theirs is None else theirs.update_rate
        note = f"{mine.update_rate:,.0f} against {rate:,.0f} rows/s"
        found.append(
            Bar(name=f"{runbook}: updates, drift / {peer}", value=mine.update_rate / rate, limit=1.0, note=note)
        )
    without = summarise(records, runbook, _WITHOUT)
    if without is not None:
        note = f"{mine.update_rate:,.0f} against {without.update_rate:,.0f} rows/s"
        value = mine.update_rate / without.update_rate
        found.append(Bar(name=f"{runbook}: updates, with / without healing", value=value, limit=0.7, note=note))
    name = f"{runbook}: rows moved per row changed"
    return [*found, Bar(name=name, value=mine.moved, limit=3.0, at_most=True), *_idle(records, runbook)]


def _idle(records: Records, runbook: str) -> list[Bar]:
    waits = records.of(runbook, OURS, "wait")
    if not waits:
        return []
    name = f"{runbook}: processor used while nobody asks, last pause"
    value = waits[-1]["cpu"] / waits[-1]["seconds"]
    return [Bar(name=name, value=value, limit=0.01, at_most=True)]


def _bounded(runbook: str, mine: Summary) -> list[Bar]:
    return [
        Bar(name=f"{runbook}: dead rows, greatest share", value=mine.dead, limit=0.2, at_most=True),
        Bar(name=f"{runbook}: files, most", value=mine.files, limit=_MOST_FILES, at_most=True),
    ]


def _targets(records: Records, runbook: str) -> list[Bar]:
    start, end = records.of(runbook, OURS)[0], records.end(runbook, OURS)
    if end is None or "targets" not in end:
        return []
    found = []
    for when, targets in (("before", start["targets"]), ("after", end["targets"])):
        off = max(abs(one["recall"] - one["target"]) for one in targets)
        note = ", ".join(f"{one['target']:g}: {one['recall']:.4f}" for one in targets)
        found.append(
            Bar(name=f"{runbook}: recall off its target, {when}", value=off, limit=0.02, at_most=True, note=note)
        )
    return found
