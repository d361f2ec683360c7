"""Clustered vectors: neighbourhoods of many sizes and widths, each thin, as embeddings have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROWS_PER_CLUSTER: Final = 400
_TOPICS: Final = 40
_BASES: Final = 48
_BASIS_DIM: Final = 24
_BLOCK_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Mixture:
    """Clusters about topics; all arrays are float32.

    Parameters
    ----------
    centres : (c, dim)
    weights : (c,)
        Shares of rows, which sum to 1.
    spreads : (c,)
        Widths within the clusters.
    bases : (b, _BASIS_DIM, dim)
        Directions in which rows of a cluster differ; cluster i takes basis `i % b`.
    noise : float
        Width in every direction.
    """

    centres: NDArray[np.float32]
    weights: NDArray[np.float64]
    spreads: NDArray[np.float32]
    bases: NDArray[np.float32]
    noise: float

    def draw(self, n_rows: int, rng: np.random.Generator) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Blocks of rows, and the cluster of each row."""
        for start in range(0, n_rows, _BLOCK_ROWS):
            owner = rng.choice(len(self.weights), size=min(_BLOCK_ROWS, n_rows - start), p=self.weights)
            yield self._rows(owner, rng), owner

    def _rows(self, owner: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.float32]:
        rows = self.centres[owner] + self.noise * rng.standard_normal(
            (len(owner), self.centres.shape[1]), dtype=np.float32
        )
        place = rng.standard_normal((len(owner), _BASIS_DIM), dtype=np.float32) * self.spreads[owner, None]
        for number, basis in enumerate(self.bases):
            mine = owner % len(self.bases) == number
            rows[mine] += place[mine] @ basis
        return rows


def mixture(n_rows: int, dim: int, seed: int) -> Mixture:
    """A mixture for so many rows: clusters of log-normal sizes and widths, scattered about fewer topics."""
    rng = np.random.default_rng(seed)
    n_clusters = max(_TOPICS, n_rows // _ROWS_PER_CLUSTER)
    topics = rng.standard_normal((_TOPICS, dim), dtype=np.float32)
    scale = np.geomspace(1, 0.15, _BASIS_DIM).astype(np.float32)[:, None]
    bases = rng.standard_normal((_BASES, _BASIS_DIM, dim), dtype=np.float32) * scale
    # topics overlap: a cluster lies off its topic in few directions, by as much as topics differ
    topic = rng.integers(_TOPICS, size=n_clusters)
    offsets = rng.standard_normal((n_clusters, _BASIS_DIM), dtype=np.float32)
    directions = rng.standard_normal((_TOPICS, _BASIS_DIM, dim), dtype=np.float32) * scale
    centres = 0.5 * topics[topic]
    for number in range(_TOPICS):
        mine = topic == number
        centres[mine] += 0.35 * offsets[mine] @ directions[number]
    sizes = rng.lognormal(0, 1.0, n_clusters)
    spreads = (0.28 * rng.lognormal(0, 0.35, n_clusters)).astype(np.float32)
    return Mixture(centres, sizes / sizes.sum(), spreads, bases, noise=0.12)
