"""What was found on one set."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.report import Bar
from search_bench.build import Built
from search_bench.frontier import qps_at
from search_bench.sweep import Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an index takes.

    Parameters
    ----------
    contender : str
    built : Built
    searched : int
        Bytes that opening and searching made resident, mapped pages included.
    """

    contender: str
    built: Built
    searched: int


@dataclass(slots=True, kw_only=True)
class SetResult:
    """All of one set with one number of threads.

    Parameters
    ----------
    name : str
    shape : (int, int)
        Rows and dimensions.
    n_threads : int
    points : dict of str to list of Point
        Of ``single`` queries and of ``batch`` queries.
    costs : list of Cost
    """

    name: str
    shape: tuple[int, ...]
    n_threads: int
    points: dict[str, list[Point]] = field(default_factory=dict)
    costs: list[Cost] = field(default_factory=list)

    def of(self, contender: str, mode: str = "single") -> list[Point]:
        """Points of one contender."""
        return [point for point in self.points.get(mode, []) if point.contender == contender]

    def qps(self, contender: str, recall: float, mode: str = "single") -> float:
        """Queries per second at a recall; nan if it has not been reached."""
        return qps_at(self.of(contender, mode), recall)

    def contenders(self, mode: str = "single") -> list[str]:
        """Names, in order."""
        return list(dict.fromkeys(point.contender for point in self.points.get(mode, [])))

    def best_variant(self, contender: str, recall: float = 0.95) -> dict[str, Any] | None:
        """The variant that is fastest at a recall."""
        points = self.of(contender)
        variants = [json.loads(text) for text in {json.dumps(point.variant): None for point in points}]
        speeds = [qps_at([point for point in points if point.variant == variant], recall) for variant in variants]
        ranked = [(speed, i) for i, speed in enumerate(speeds) if not math.isnan(speed)]
        return variants[max(ranked)[1]] if ranked else None


def document(results: Sequence[SetResult], found: Sequence[Bar]) -> dict[str, Any]:
    """Everything, for JSON; single times as percentiles."""
    sets = []
    for result in results:
        entry = asdict(result)
        for mode, points in result.points.items():
            for point, plain in zip(points, entry["points"][mode], strict=True):
                plain["n_times"] = len(plain.pop("times"))
                plain["p50_ms"], plain["p99_ms"] = point.percentile_ms(50), point.percentile_ms(99)
        sets.append(entry)
    return {"sets": sets, "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in found]}
