"""What the search must reach."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from harness.report import Bar
from search_bench.contender import OURS, label
from search_bench.result import SetResult

_GRAPHS: Final = ("faiss-hnsw-sq8", "hnswlib", "usearch")
_RECALLS: Final = (0.95, 0.99)
_SMALL_ROWS: Final = 100_000
_LEAST_ROWS: Final = 50_000
"""Of fewer rows, memory says more about the process than about the index."""


def bars(results: Sequence[SetResult]) -> list[Bar]:
    """All bars for which anything was measured."""
    found = []
    for result in results:
        if result.n_threads == 1:
            found += _single(result)
        else:
            found += _batch(result)
    return [*found, *_ingest(results), *_sizes(results)]


def _against(result: SetResult, ours: str, peer: str, *, recall: float, limit: float, mode: str = "single") -> Bar:
    """How many times faster we are at a recall."""
    mine, theirs = result.qps(ours, recall, mode), result.qps(peer, recall, mode)
    kind = "one query" if mode == "single" else "batch"
    name = f"{result.name}: {kind}, recall {recall:g}, {ours} / {peer}"
    return Bar(name=name, value=mine / theirs, limit=limit, note=f"{mine:,.0f} against {theirs:,.0f} queries/s")


def _single(result: SetResult) -> list[Bar]:
    found = []
    for recall in _RECALLS:
        found += [_against(result, ours, "faiss-ivf-sq8", recall=recall, limit=1.5) for ours in OURS]
        found.append(_against(result, "drift", "lancedb", recall=recall, limit=20))
    for point in result.of("drift"):
        if point.setting.get("target_recall") in _RECALLS and result.shape[0] <= _SMALL_ROWS:
            name = f"{result.name}: p50 of the full call with {label(point.setting)}, ms"
            note = f"recall {point.recall:.4f}, p99 {point.percentile_ms(99):.3f} ms"
            found.append(Bar(name=name, value=point.percentile_ms(50), limit=1.0, at_most=True, note=note))
    return found


def _batch(result: SetResult) -> list[Bar]:
    if result.name != "sift100k":
        return []
    peers = (("faiss-ivf-sq8", 5.0), ("hnswlib", 3.0))
    return [
        _against(result, "drift", peer, recall=recall, limit=limit, mode="batch")
        for recall in _RECALLS
        for peer, limit in peers
    ]


def distances_to_graphs(results: Sequence[SetResult]) -> list[tuple[str, ...]]:
    """Fastest graph over us, per set and recall; reported, not barred."""
    rows = []
    for result in results:
        for recall in _RECALLS:
            speeds = {name: result.qps(name, recall) for name in _GRAPHS}
            known = {name: speed for name, speed in speeds.items() if not math.isnan(speed)}
            if not known:
                continue
            best = max(known, key=lambda name: known[name])
            mine = [result.qps(ours, recall) for ours in OURS]
            where = (result.name, str(result.n_threads), f"{recall:g}", best, f"{known[best]:,.0f}")
            rows.append((*where, *(f"{known[best] / speed:.2f}" for speed in mine)))
    return rows


def _ingest(results: Sequence[SetResult]) -> list[Bar]:
    found = []
    for result in _once(results):
        rates = _rates(result)
        if result.name == "sift100k" and "drift" in rates:
            for peer, limit in (("hnswlib", 10.0), ("lancedb", 5.0)):
                if peer in rates:
                    note = f"{rates['drift']:,.0f} against {rates[peer]:,.0f} rows/s"
                    name = f"{result.name}: ingest, drift / {peer}"
                    found.append(Bar(name=name, value=rates["drift"] / rates[peer], limit=limit, note=note))
        if result.name == "clustered-1m-128" and "drift" in rates:
            seconds = result.shape[0] / rates["drift"]
            name = f"{result.name}: ingest by 2 threads, seconds"
            found.append(Bar(name=name, value=seconds, limit=60, at_most=True))
    return found


def _rates(result: SetResult) -> dict[str, float]:
    """Rows per second of each contender: of the variant that is built fastest among those that reach recall .95."""
    rates: dict[str, float] = {}
    for cost in result.costs:
        points = [point for point in result.of(cost.contender) if point.variant == cost.built.variant]
        if not points or max(point.recall for point in points) >= _RECALLS[0]:
            rates[cost.contender] = max(rates.get(cost.contender, 0.0), cost.built.rows_per_second)
    return rates


def _sizes(results: Sequence[SetResult]) -> list[Bar]:
    found = []
    for result in _once(results):
        n_rows, dim = result.shape
        for cost in result.costs:
            if cost.contender != "drift":
                continue
            resident, disk = cost.searched / (n_rows * dim), cost.built.disk / (n_rows * dim * 4)
            if n_rows >= _LEAST_ROWS:
                note = f"{cost.searched / n_rows:.0f} bytes per vector, {cost.of_files / n_rows:.0f} of them of files"
                name = f"{result.name}: resident / SQ8 codes"
                found.append(Bar(name=name, value=resident, limit=1.3, at_most=True, note=note))
            note = f"{cost.built.disk / n_rows:.0f} bytes per vector"
            found.append(
                Bar(name=f"{result.name}: disk / raw float32", value=disk, limit=1.35, at_most=True, note=note)
            )
    return found


def _once(results: Sequence[SetResult]) -> list[SetResult]:
    """One result per set: that with the fewest threads."""
    return list({result.name: result for result in sorted(results, key=lambda one: -one.n_threads)}.values())
