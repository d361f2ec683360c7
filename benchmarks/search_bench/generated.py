"""Clustered vectors: neighbourhoods of many sizes and widths, thin and running into each other, as of embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROWS_PER_CLUSTER: Final = 400
_TOPICS: Final = 40
_TOPIC_DIM: Final = 24
_BLOCK_ROWS: Final = 20_000

_BETWEEN_TOPICS: Final = 0.5
_BETWEEN_CLUSTERS: Final = 0.35
_WITHIN_CLUSTERS: Final = 0.6
_NOISE: Final = 0.25


@dataclass(frozen=True, slots=True)
class Mixture:
    """Clusters about topics.

    Parameters
    ----------
    centres : (c, dim) float32
    topics : (c,) int64
        Topic of each cluster.
    weights : (c,) float64
        Shares of rows, which sum to 1.
    spreads : (c,) float32
        Widths of the clusters.
    bases : (t, _TOPIC_DIM, dim) float32
        Directions in which the clusters of a topic, and their rows, differ.
    """

    centres: NDArray[np.float32]
    topics: NDArray[np.int64]
    weights: NDArray[np.float64]
    spreads: NDArray[np.float32]
    bases: NDArray[np.float32]

    def draw(self, n_rows: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Blocks of rows, and the cluster of each row."""
        for start in range(0, n_rows, _BLOCK_ROWS):
            owner = rng.choice(len(self.weights), size=min(_BLOCK_ROWS, n_rows - start), p=self.weights)
            yield self._rows(owner, rng), owner

    def _rows(self, owner: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        rows = np.float32(_NOISE) * rng.standard_normal((len(owner), self.centres.shape[1]), dtype=np.float32)
        rows += self.centres[owner]
        place = rng.standard_normal((len(owner), _TOPIC_DIM), dtype=np.float32) * self.spreads[owner, np.newaxis]
        topic = self.topics[owner]
        for number, basis in enumerate(self.bases):
            mine = topic == number
            rows[mine] += place[mine] @ basis
        return rows


def mixture(n_rows: int, dim: int, seed: int) -> Mixture:
    """A mixture for so many rows: clusters of log-normal sizes and widths, scattered about fewer topics."""
    rng = np.random.default_rng(seed)
    n_clusters = max(_TOPICS, n_rows // _ROWS_PER_CLUSTER)
    scale = np.geomspace(1, 0.3, _TOPIC_DIM).astype(np.float32)[:, np.newaxis]
    bases = rng.standard_normal((_TOPICS, _TOPIC_DIM, dim), dtype=np.float32) * scale
    centres = np.float32(_BETWEEN_TOPICS) * rng.standard_normal((_TOPICS, dim), dtype=np.float32)
    topics = rng.integers(_TOPICS, size=n_clusters)
    offsets = np.float32(_BETWEEN_CLUSTERS) * rng.standard_normal((n_clusters, _TOPIC_DIM), dtype=np.float32)
    sizes = rng.lognormal(0, 1.0, n_clusters)
    spreads = (_WITHIN_CLUSTERS * rng.lognormal(0, 0.35, n_clusters)).astype(np.float32)
    places = np.stack([offset @ bases[topic] for offset, topic in zip(offsets, topics.tolist(), strict=True)])
    return Mixture(centres[topics] + places, topics, sizes / sizes.sum(), spreads, bases)
