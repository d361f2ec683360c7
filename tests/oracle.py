"""Plain NumPy and Python twins of the kernels: slow, obvious, in float64 where a kernel uses float32."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def squares(x: Floats) -> Floats:
    """Squared length of each row."""
    total: Floats = np.square(x).sum(axis=-1)
    return total


def distances(matrix: NDArray[Any], query: NDArray[Any], metric: str) -> Floats:
    x, q = matrix.astype(np.float64), query.astype(np.float64)
    if metric == "l2":
        return squares(x - q)
    if metric == "dot":
        return np.negative(x @ q)
    lengths = np.sqrt(squares(x)) * np.sqrt(squares(q))
    cosines: Floats = np.divide(x @ q, lengths, out=np.zeros(len(x)), where=lengths != 0)
    return np.maximum(1 - cosines, 0)


def tolerance(matrix: NDArray[Any], query: NDArray[Any], metric: str) -> float:
    """What float32 arithmetic in any order may lose: a few roundings of the largest sum of magnitudes."""
    x, q = np.abs(matrix.astype(np.float64)), np.abs(query.astype(np.float64))
    if not x.size:
        return 0.0
    largest = {"l2": squares(x + q).max(), "dot": (x @ q).max(), "cosine": 1.0}[metric]
    return float(4 * np.finfo(np.float32).eps * (1 + math.log2(len(q) + 1)) * largest)


def normalized(matrix: NDArray[Any]) -> Floats:
    x = matrix.astype(np.float64)
    lengths = np.sqrt(squares(x))[:, np.newaxis]
    unit: Floats = np.divide(x, lengths, out=np.zeros_like(x), where=lengths != 0)
    return unit


def best(candidates: list[tuple[float, int]], k: int) -> list[tuple[float, int]]:
    """The k first by (distance, id), NaN left out, filled up with (inf, -1)."""
    kept = sorted(pair for pair in candidates if not math.isnan(pair[0]))[:k]
    return kept + [(math.inf, -1)] * (k - len(kept))


def mask_of(bits: NDArray[np.uint8], n: int) -> list[bool]:
    return [bool(bits[row // 8] >> (row % 8) & 1) for row in range(n)]


def string_fingerprints(keys: list[bytes], seed: int) -> list[tuple[int, int]]:
    second = seed ^ 0x9E3779B97F4A7C15
    return [(xxhash.xxh64_intdigest(key, seed), xxhash.xxh64_intdigest(key, second)) for key in keys]


def first_duplicate(fingerprints: list[tuple[int, int]]) -> int:
    seen: set[tuple[int, int]] = set()
    for index, fingerprint in enumerate(fingerprints):
        if fingerprint in seen:
            return index
        seen.add(fingerprint)
    return -1
