"""Plain NumPy and Python twins of the kernels: slow, obvious, in float64 where a kernel uses float32."""

from __future__ import annotations

import math
from itertools import pairwise
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


def scores(matrix: NDArray[Any], query: NDArray[Any], metric: str) -> Floats:
    """What buckets are ranked by."""
    x, q = matrix.astype(np.float64), query.astype(np.float64)
    return squares(x - q) if metric == "l2" else np.negative(x @ q)


def expected_rows(
    distances: Floats, counts: Floats, radius: float, length: float, metric: str, spread: float, effective_dim: float
) -> Floats:
    """Rows of each bucket within a radius, if they are normal in distance or product."""
    if metric == "dot":
        scores = (radius - distances) / (length * math.sqrt(spread / effective_dim))
    else:
        scores = (radius - distances - spread) / np.sqrt((4 * distances * spread + 2 * spread**2) / effective_dim)
    return counts * np.array([math.erfc(-score / math.sqrt(2)) / 2 for score in scores.tolist()])


def closest(matrix: NDArray[Any], centroids: NDArray[Any], *, spherical: bool) -> NDArray[np.intp]:
    """Number of the best centroid of each row, ties to the lowest."""
    costs = [scores(centroids, row, "dot" if spherical else "l2") for row in matrix]
    best_of: NDArray[np.intp] = np.array(costs).reshape(len(matrix), len(centroids)).argmin(axis=1)
    return best_of


def sq8(matrix: NDArray[Any], offsets: NDArray[Any]) -> tuple[NDArray[np.uint8], Floats, Floats]:
    """(codes, lo, step) by rounding to the nearest of 256 levels between the extremes of each bucket."""
    x = matrix.astype(np.float64)
    lo = np.zeros((len(offsets) - 1, x.shape[1]))
    step = np.zeros_like(lo)
    codes = np.zeros(x.shape, np.uint8)
    for b, (start, stop) in enumerate(pairwise(offsets)):
        rows = x[start:stop]
        if not len(rows):
            continue
        lo[b] = rows.min(axis=0)
        step[b] = ((rows.max(axis=0) - lo[b]) / 255).astype(np.float32)
        levels = np.divide(rows - lo[b], step[b], out=np.zeros_like(rows), where=step[b] > 0)
        codes[start:stop] = np.clip(np.floor(levels + 0.5), 0, 255)
    return codes, lo, step


def adc(query: NDArray[Any], decoded: NDArray[Any], norms: NDArray[Any], metric: str) -> Floats:
    """Distances of a query to rows known by their codes, and to their exact squared lengths."""
    q = query.astype(np.float64)
    if metric == "cosine":
        return np.subtract(1, decoded @ (q / np.sqrt(squares(q))))
    if metric == "dot":
        return np.negative(decoded @ q)
    return np.subtract(squares(q) + norms, 2 * (decoded @ q))


def packed_vector(values: list[int], lane: int, width: int) -> bytes:
    """1024 values in lanes of `lane` bits: each lane a string of bits, the words of all lanes taken in turn."""
    lanes = 1024 // lane
    strings = [sum(value << (row * width) for row, value in enumerate(values[i::lanes])) for i in range(lanes)]
    words = [string >> (lane * word) & ((1 << lane) - 1) for word in range(width) for string in strings]
    return b"".join(word.to_bytes(lane // 8, "little") for word in words)


def cheapest_width(codes: list[int], exception_bits: int, most: int) -> int:
    """Bits of a vector whose codes are packed at the best of all widths, longer ones apart as exceptions."""
    lengths = [code.bit_length() for code in codes]
    costs = []
    for width in range(max(lengths) + 1):
        exceptions = sum(length > width for length in lengths)
        if exceptions <= most:
            costs.append(len(codes) * width + exceptions * exception_bits)
    return min(costs)
