"""What is fastest at each recall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Protocol, TypeVar

_SLACK: Final = 1.15


class HasSpeed(Protocol):
    """A measured point."""

    @property
    def recall(self) -> float:
        """Between 0 and 1."""

    @property
    def qps(self) -> float:
        """Queries per second."""


P = TypeVar("P", bound=HasSpeed)


def frontier(points: Sequence[P], *, slack: float = 1.0) -> list[P]:
    """The points that no other beats in both, by ascending recall.

    Parameters
    ----------
    slack : float
        Keep what would be on the frontier if it were so many times faster.
    """
    return [
        point
        for point in sorted(points, key=lambda point: point.recall)
        if not any(
            other.recall >= point.recall and other.qps > slack * point.qps for other in points if other is not point
        )
    ]


def shortlist(points: Sequence[P], *, least: float, most: int) -> list[P]:
    """At most so many of the points near the frontier, those of least recall and more, spread over the recalls."""
    near = frontier([point for point in points if point.recall >= least], slack=_SLACK)
    while len(near) > most:
        # the one whose neighbours are closest to each other is missed least
        gaps = [_miss(near[i + 1].recall) - _miss(near[i - 1].recall) for i in range(1, len(near) - 1)]
        del near[1 + min(range(len(gaps)), key=gaps.__getitem__)]
    return near


def _miss(recall: float) -> float:
    """Decades of missed neighbours: .99 and .999 are as far apart as .9 and .99."""
    return -math.log10(max(1 - recall, 1e-4))


def qps_at(points: Sequence[HasSpeed], recall: float) -> float:
    """Queries per second at a recall, between the two points of the frontier that enclose it.

    Returns
    -------
    float
        Of the slowest point if all have more recall; nan if none has that much.

    Notes
    -----
    The time of a query is taken to grow linearly from one point to the next with the decades of missed neighbours.
    """
    best = frontier(points)
    above = [point for point in best if point.recall >= recall]
    if not above:
        return math.nan
    below = [point for point in best if point.recall < recall]
    if not below:
        return above[0].qps
    low, high = below[-1], above[0]
    share = (_miss(recall) - _miss(low.recall)) / max(_miss(high.recall) - _miss(low.recall), 1e-9)
    return 1 / ((1 - share) / low.qps + share / high.qps)
