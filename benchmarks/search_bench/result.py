"""What was found on one set."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

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
        Bytes that opening and searching made resident.
    of_files : int
        Those of them that are pages of mapped files.
    """

    contender: str
    built: Built
    searched: int
    of_files: int


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
    shape: tuple[int, int]
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


def plain(result: SetResult) -> dict[str, Any]:
    """Everything, for JSON; single times as percentiles."""
    entry = asdict(result)
    for mode, points in result.points.items():
        for point, dictionary in zip(points, entry["points"][mode], strict=True):
            dictionary["n_times"] = len(dictionary.pop("times"))
            dictionary["p50_ms"], dictionary["p99_ms"] = point.percentile_ms(50), point.percentile_ms(99)
    return entry
