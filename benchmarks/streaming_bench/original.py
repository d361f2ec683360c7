"""The rule of the original plan, in a compact model: density that is not normalised, urgency as written."""

from __future__ import annotations

from pathlib import Path
from typing import Final, cast

import faiss
import numpy as np
from numpy.typing import NDArray

from search_bench.contender import K, Setting
from streaming_bench.contender import Figures
from streaming_bench.original_buckets import Buckets, scan, squared
from streaming_bench.stream import Stream

_CRITICAL_SHARE: Final = 0.1
_EXPONENTS: Final = (10.0, 3.0, 1.0)
"""Of the nearest bucket; the smaller, the more the rule is a fixed number of buckets."""

_OVERSAMPLED: Final = 3
_TICKS_PER_TARGET: Final = 2
"""Turns of its Janitor per so many changed rows as a bucket should have."""

_TUNING_ROWS: Final = 200
_PROBES: Final = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256)
_ROOTS: Final = 2
_MEANS_ROUNDS: Final = 15


class Original:
    """Buckets in the order of ``exp(-lambda d) (1 - exp(-n / tau))`` until the sum of these reaches a confidence.

    Notes
    -----
    In memory, without its log and memtable: what is modelled are the rules by which it stops and heals. In its favour
    it starts from a good k-means, rescores three candidates per row exactly, splits by the rows rather than by their
    codes, writes hot zombies that are too large to be merged again without their dead rows, and has a lambda and a
    confidence that suit the first state; the plan leaves both to constants that have it scan every bucket or too few.
    Codes keep the range of the first rows from the first to the 99th percentile, as the plan has it.
    """

    def __init__(self, stream: Stream, folder: Path, variant: Setting) -> None:
        del folder, variant
        faiss.omp_set_num_threads(1)
        n_rows = len(stream.array("vectors"))
        self._rows = np.zeros((n_rows, stream.dim), dtype=np.float32)
        self._codes = np.zeros((n_rows, stream.dim), dtype=np.uint8)
        self._confidence = np.inf
        self._steepness = 1.0
        self._n_waiting = 0

    def warm(self) -> None:
        """Compile the scan."""
        zeros = np.zeros(self._rows.shape[1], dtype=np.float32)
        scan(self._codes, np.arange(2), np.zeros(2, dtype=np.bool_), zeros, zeros)

    def load(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Train a quantiser and centroids; insert."""
        self._low = np.percentile(vectors, 1, axis=0).astype(np.float32)
        self._steps = ((np.percentile(vectors, 99, axis=0) - self._low) / 255).astype(np.float32)
        self._steps[self._steps == 0] = 1
        n_buckets = max(1, min(len(vectors) // 4, round(_ROOTS * len(vectors) ** 0.5)))
        means = faiss.Kmeans(vectors.shape[1], n_buckets, niter=_MEANS_ROUNDS, seed=0, min_points_per_centroid=1)
        means.train(vectors)
        centroids = np.array(means.centroids)
        self._buckets = Buckets(self._rows, centroids, len(vectors) / n_buckets)
        away = squared(vectors[:_TUNING_ROWS], centroids).min(axis=1)
        self._typical = max(float(np.sqrt(np.median(away))), 1e-9)
        self._put(numbers, vectors)

    def _put(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        self._rows[numbers] = vectors
        self._codes[numbers] = np.clip(np.rint((vectors - self._low) / self._steps), 0, 255).astype(np.uint8)
        self._buckets.insert(numbers)

    def settings(self) -> list[Setting]:
        """For some exponents, the confidences that the first rows reach after so many buckets, at the median."""
        found = []
        for exponent in _EXPONENTS:
            self._steepness = exponent / self._typical
            scores = np.stack([self._scores(row) for row in self._rows[:_TUNING_ROWS]])
            reached = np.median(np.cumsum(-np.sort(-scores, axis=1), axis=1), axis=0)
            found += [
                (n_probe, {"steepness": self._steepness, "confidence": float(reached[n_probe - 1])})
                for n_probe in _PROBES
                if n_probe < len(reached)
            ]
        return [setting for _, setting in sorted(found, key=lambda pair: pair[0])]

    def use(self, setting: Setting) -> None:
        """Lambda and confidence."""
        self._steepness, self._confidence = setting["steepness"], setting["confidence"]

    def insert(self, numbers: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        """Into the nearest buckets; then its Janitor has its turns."""
        self._put(numbers, vectors)
        self._tick(len(numbers))

    def delete(self, numbers: NDArray[np.int64]) -> None:
        """Mark; then its Janitor has its turns."""
        self._buckets.delete(numbers)
        self._tick(len(numbers))

    def _tick(self, count: int) -> None:
        self._n_waiting += count
        rows_per_tick = max(1, int(self._buckets.target / _TICKS_PER_TARGET))
        for _ in range(self._n_waiting // rows_per_tick):
            self._buckets.tick()
        self._n_waiting %= rows_per_tick

    def settle(self, seconds: float) -> None:
        """Nothing goes on in the background."""

    def _scores(self, query: NDArray[np.float32]) -> NDArray[np.float64]:
        """(b,) how much each bucket promises."""
        away = np.sqrt(squared(query[np.newaxis], self._buckets.centroids)[0].astype(np.float64))
        critical = _CRITICAL_SHARE * self._buckets.target
        density = 1 - np.exp(-self._buckets.counts / critical)
        scores: NDArray[np.float64] = np.exp(-self._steepness * away) * density
        return scores

    def _chosen(self, query: NDArray[np.float32]) -> NDArray[np.int64]:
        scores = self._scores(query)
        order = np.argsort(-scores)
        return order[: int(np.searchsorted(np.cumsum(scores[order]), self._confidence)) + 1]

    def one(self, query: NDArray[np.float32]) -> object:
        """Numbers."""
        chosen = self._chosen(query)
        numbers = np.concatenate([self._buckets.members[bucket] for bucket in chosen.tolist()])
        self._buckets.touch(chosen)
        rough = scan(self._codes, numbers, self._buckets.dead, (query - self._low) / self._steps, self._steps)
        wanted = min(_OVERSAMPLED * K, len(numbers))
        best = np.argpartition(rough, wanted - 1)[:wanted] if wanted else np.empty(0, dtype=np.int64)
        kept = numbers[best[np.isfinite(rough[best])]]
        exact = np.square(self._rows[kept] - query).sum(axis=1)
        return kept[np.argsort(exact)[:K]]

    def ids(self, answer: object) -> NDArray[np.int64]:
        """As they are."""
        return cast("NDArray[np.int64]", answer)

    def figures(self, queries: NDArray[np.float32], written: int) -> Figures:
        """Rows of the chosen buckets, dead ones included."""
        del written
        buckets, counts = self._buckets, self._buckets.counts
        scanned = np.mean([counts[self._chosen(query)].sum() for query in queries])
        stored = np.concatenate(buckets.members)
        return {
            "scanned": float(scanned),
            "moved": buckets.n_moved,
            "dead": int(buckets.dead[stored].sum()),
            "buckets": len(buckets.members),
        }

    def close(self) -> None:
        """Nothing to do: the process ends."""
