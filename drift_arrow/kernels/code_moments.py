"""Sums, squares and extremes of the SQ8 codes of each bucket: what its statistics are derived from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bitmap import ALL_ROWS, Bits, is_allowed
from drift_arrow.kernels.memory import array_at

_TILE_ROWS: Final = 1 << 16
"""Most rows whose squares, each at most 255 ** 2, a sum of 32 bits holds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CodeMoments:
    """Moments of the allowed rows of each bucket; exact.

    Parameters
    ----------
    counts : (B,) int64
        Allowed rows.
    sums, squares : (B, dim) uint64
        Of the codes of each dimension, and of their squares.
    least, most : (B, dim) uint8
        Smallest and largest code of each dimension; 255 and 0 where no row is allowed.
    """

    counts: NDArray[np.int64]
    sums: NDArray[np.uint64]
    squares: NDArray[np.uint64]
    least: NDArray[np.uint8]
    most: NDArray[np.uint8]


@kernel(inner=True)
def _add_codes(codes: Any, tile_sums: Any, tile_squares: Any, least: Any, most: Any) -> None:
    for j in range(codes.size):
        code = np.uint32(codes[j])
        tile_sums[j] += code
        tile_squares[j] += code * code
        least[j] = min(least[j], codes[j])
        most[j] = max(most[j], codes[j])


@kernel(inner=True)
def _spill(tile: Any, totals: Any) -> None:
    for j in range(tile.size):
        totals[j] += np.uint64(tile[j])
        tile[j] = np.uint32(0)


@kernel
def _code_moments(
    code_address: Any,
    first_row: Any,
    rows: Any,
    allowed: Any,
    tile_sums: Any,
    tile_squares: Any,
    counts: Any,
    sums: Any,
    squares: Any,
    least: Any,
    most: Any,
) -> None:
    dim = tile_sums.size
    for b in range(rows.size):
        codes = array_at(np.int64(code_address[b]), rows[b] * dim, np.uint8(0))
        for start in range(0, rows[b], _TILE_ROWS):
            for i in range(start, min(start + _TILE_ROWS, rows[b])):
                if is_allowed(allowed, first_row[b] + i):
                    _add_codes(codes[i * dim : (i + 1) * dim], tile_sums, tile_squares, least[b], most[b])
                    counts[b] += 1
            _spill(tile_sums, sums[b])
            _spill(tile_squares, squares[b])


def code_moments(
    code_address: NDArray[np.uint64], offsets: NDArray[np.int64], dim: int, allowed: Bits | None
) -> CodeMoments:
    """Add up the codes of the allowed rows of each bucket.

    Parameters
    ----------
    code_address : (B,) uint64
        Where the (rows, dim) uint8 codes of each bucket start. Whoever calls keeps that memory alive: a stale address
        is a crash or a wrong answer, not an error.
    offsets : (B + 1,) int64
        Bucket b holds the rows [offsets[b], offsets[b + 1]) of `allowed`.
    dim : int
        Codes per row, at least 1.
    allowed : uint8 or None
        Bitmap of rows, at least up to the last one; None for all.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, offsets that fall, or too few bits

    Notes
    -----
    One pass over the codes, without the GIL; integers throughout, so that the order of rows makes no difference.
    """
    code_address = readonly("code_address", code_address, np.uint64, None)
    n_buckets = len(code_address)
    offsets = readonly("offsets", offsets, np.int64, n_buckets + 1)
    if dim < 1 or offsets[0] < 0 or np.any(offsets[1:] < offsets[:-1]):
        raise ValueError(f"offsets must rise from 0, and rows have codes; dim={dim}")
    bits = ALL_ROWS if allowed is None else readonly("allowed", allowed, np.uint8, None)
    if allowed is not None and 8 * len(bits) < offsets[-1]:
        raise ValueError(f"allowed must reach to the last row; bits={8 * len(bits)} rows={offsets[-1]}")
    moments = CodeMoments(
        counts=np.zeros(n_buckets, np.int64),
        sums=np.zeros((n_buckets, dim), np.uint64),
        squares=np.zeros((n_buckets, dim), np.uint64),
        least=np.full((n_buckets, dim), 255, np.uint8),
        most=np.zeros((n_buckets, dim), np.uint8),
    )
    _code_moments(
        code_address,
        readonly("first_row", np.ascontiguousarray(offsets[:-1]), np.int64, None),
        readonly("rows", np.diff(offsets), np.int64, None),
        bits,
        np.zeros(dim, np.uint32),
        np.zeros(dim, np.uint32),
        moments.counts,
        moments.sums,
        moments.squares,
        moments.least,
        moments.most,
    )
    return moments
