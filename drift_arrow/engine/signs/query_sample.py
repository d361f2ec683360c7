"""Some of the vectors that a collection was searched for, recent ones rather than old ones."""

from __future__ import annotations

import math
import random
import threading
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SAMPLED_QUERIES: Final = 512
"""Vectors that are kept."""

REMEMBERED_QUERIES: Final = 16_384
"""Queries over which the sample is spread; the chance of an older one falls to 1 / e with each as many."""


class QuerySample:
    """A reservoir that searches offer their queries to.

    Notes
    -----
    Vitter's reservoir (Random Sampling with a Reservoir, 1985) until `REMEMBERED_QUERIES` were seen, then with a
    constant chance, so that the sample follows the queries as they drift (Aggarwal, On Biased Reservoir Sampling, VLDB
    2006). How many queries are passed over is drawn in advance, so nearly all of them cost one comparison, without a
    lock: where two threads meet there, a query is passed over or taken too often, which does a sample no harm.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._random = random.Random()  # noqa: S311 - a sample, no secret
        self._rows: NDArray[np.float32] | None = None
        self._n_kept = 0
        self._n_seen = 0
        self._n_passed = 0

    def offer(self, queries: NDArray[np.float32]) -> None:
        """Perhaps keep some of (nq, dim) float32 queries."""
        left = self._n_passed - len(queries)
        if left >= 0:
            self._n_passed = left
            return
        self._take(queries)

    def vectors(self, most: int) -> NDArray[np.float32]:
        """At most `most` of the kept queries, (n, dim) float32; a copy. (0, 0) if there is none."""
        with self._lock:
            if self._rows is None:
                return np.empty((0, 0), np.float32)
            kept = self._rows[: self._n_kept].copy()
        return kept[np.random.default_rng(0).permutation(len(kept))[:most]]

    def _take(self, queries: NDArray[np.float32]) -> None:
        with self._lock:
            if self._rows is None:
                self._rows = np.empty((SAMPLED_QUERIES, queries.shape[1]), np.float32)
            place = self._n_passed
            while place < len(queries):
                self._rows[self._slot()] = queries[place]
                passed = self._draw()
                self._n_seen += passed + 1
                place += passed + 1
            self._n_passed = place - len(queries)

    def _slot(self) -> int:
        if self._n_kept < SAMPLED_QUERIES:
            self._n_kept += 1
            return self._n_kept - 1
        return self._random.randrange(SAMPLED_QUERIES)

    def _draw(self) -> int:
        """Queries until the next one that is kept: geometric, at the chance that one has now."""
        if self._n_kept < SAMPLED_QUERIES:
            return 0
        chance = SAMPLED_QUERIES / min(max(self._n_seen, SAMPLED_QUERIES + 1), REMEMBERED_QUERIES)
        return int(math.log(1 - self._random.random()) / math.log1p(-chance))
