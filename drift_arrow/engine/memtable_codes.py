"""SQ8 codes of a memtable's rows, block by block, so that a search reads a quarter of the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.kernels.adc import BucketArrays
from drift_arrow.kernels.distance import normalize_rows, squared_norms
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.sq8 import sq8_encode

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK_ROWS: Final = 256
"""Rows that share their ranges: few, since the rows behind the last whole block are scanned in full precision."""


class MemtableCodes:
    """Codes of the whole blocks of a memtable; each block is a bucket of `adc_scan`, its rows numbered from 0.

    Parameters
    ----------
    dim : int
        Of the vectors.
    metric : str
        For cosine the codes are those of unit vectors, as `adc_scan` wants them.
    capacity_rows : int
        Rows that the memtable can hold.

    Notes
    -----
    One writer extends while readers scan. Codes, once written, never change and never move; `_buckets` is replaced by
    one assignment after all that it names is written, so a reader sees a block complete or not at all, without a lock.
    Ranges of each block follow drifting data, whereas ranges that are trained once lose it.
    """

    def __init__(self, dim: int, metric: str, capacity_rows: int) -> None:
        n_blocks = capacity_rows // BLOCK_ROWS
        self._is_cosine = metric == "cosine"
        self._codes = np.empty((n_blocks * BLOCK_ROWS, dim), dtype=np.uint8)
        self._lo = np.empty((n_blocks, dim), dtype=np.float32)
        self._step = np.empty((n_blocks, dim), dtype=np.float32)
        self._norms = np.empty(n_blocks * BLOCK_ROWS, dtype=np.float32)
        self._first_row = np.arange(n_blocks, dtype=np.int64) * BLOCK_ROWS
        self._rows = np.full(n_blocks, BLOCK_ROWS, dtype=np.uint32)
        self._address = (address_of(self._codes) + self._first_row * dim).astype(np.uint64)
        self._buckets = self._first(0)

    @property
    def n_rows(self) -> int:
        """Rows that have codes."""
        return len(self._buckets.rows) * BLOCK_ROWS

    @property
    def nbytes(self) -> int:
        """Bytes of the codes, ranges and norms that are in use."""
        buckets = self._buckets
        return self.n_rows * self._codes.shape[1] + buckets.lo.nbytes + buckets.step.nbytes + buckets.norms.nbytes

    def extend(self, matrix: NDArray[np.float32]) -> None:
        """Quantise the whole blocks of `matrix`, (n, dim), all rows of the memtable so far. Only the writer calls it.

        Notes
        -----
        At 2 GB/s of codes and more, far above what a log can take, so the writer does it at once.
        """
        first = len(self._buckets.rows)
        n_blocks = len(matrix) // BLOCK_ROWS
        if n_blocks == first:
            return
        rows = slice(first * BLOCK_ROWS, n_blocks * BLOCK_ROWS)
        vectors = normalize_rows(matrix[rows]) if self._is_cosine else matrix[rows]
        quantised = sq8_encode(vectors, np.arange(n_blocks - first + 1, dtype=np.int64) * BLOCK_ROWS)
        self._codes[rows] = quantised.codes
        self._lo[first:n_blocks] = quantised.lo
        self._step[first:n_blocks] = quantised.step
        self._norms[rows] = squared_norms(vectors)
        self._buckets = self._first(n_blocks)

    def buckets(self, n_rows: int) -> BucketArrays:
        """The whole blocks among the first `n_rows` rows; the caller keeps this object alive while it scans them."""
        published = self._buckets
        n_blocks = n_rows // BLOCK_ROWS
        return published if n_blocks >= len(published.rows) else self._first(n_blocks)

    def _first(self, n_blocks: int) -> BucketArrays:
        return BucketArrays(
            code_address=self._address[:n_blocks],
            rows=self._rows[:n_blocks],
            first_row=self._first_row[:n_blocks],
            lo=self._lo[:n_blocks],
            step=self._step[:n_blocks],
            norms=self._norms[: n_blocks * BLOCK_ROWS],
        )
