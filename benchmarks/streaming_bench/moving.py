"""Clusters whose centres move."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from search_bench.generated import Mixture, mixture

_OWN_SHARE: Final = 0.5
"""Of a cluster's way, the part that is its own; the rest it shares with its topic."""


class MovingMixture:
    """Clusters about topics, each on a straight way of its own.

    Parameters
    ----------
    n_rows : int
        Rows alive at once, for the number of clusters.
    dim : int
    speed : float
        Way of a cluster per unit of time, in distances between two topics.
    seed : int
    """

    def __init__(self, n_rows: int, dim: int, *, speed: float, seed: int) -> None:
        self._mixture = mixture(n_rows, dim, seed)
        rng = np.random.default_rng([seed, 1])
        topics = _directions(len(self._mixture.bases), dim, rng)[self._mixture.topics]
        way = (1 - _OWN_SHARE) * topics + _OWN_SHARE * _directions(len(topics), dim, rng)
        self._way = way * np.float32(speed * self._typical_distance())

    @property
    def n_topics(self) -> int:
        """Topics, which the clusters are scattered about."""
        return len(self._mixture.bases)

    def draw(
        self, n_rows: int, time: float, rng: np.random.Generator, shares: NDArray[np.float64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Rows as they are at a time, and the topic of each.

        Parameters
        ----------
        shares : (n_topics,) float64, optional
            How much of each topic's usual share there is now.
        """
        topics = self._mixture.topics
        weights = self._mixture.weights * (1.0 if shares is None else shares[topics])
        centres = self._mixture.centres + np.float32(time) * self._way
        now: Mixture = replace(self._mixture, centres=centres, weights=weights / weights.sum())
        blocks = list(now.draw(n_rows, rng))
        rows, owners = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        return rows, topics[owners]

    def _typical_distance(self) -> float:
        centres = self._mixture.centres
        away: NDArray[np.float32] = np.linalg.norm(centres - np.roll(centres, 1, axis=0), axis=1)
        return float(np.median(away))


def _directions(count: int, dim: int, rng: np.random.Generator) -> NDArray[np.float32]:
    drawn = rng.standard_normal((count, dim), dtype=np.float32)
    unit: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit
