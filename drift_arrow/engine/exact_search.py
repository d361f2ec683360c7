"""Candidates by exact distances: all allowed rows of a segment or memtable in full precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.snapshot import SegmentView
from drift_arrow.kernels import bitmap
from drift_arrow.kernels.scan import exact_scan

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.sieve import Sieve
    from drift_arrow.kernels.bitmap import Bits

_GATHER_ROWS: Final = 8192
_DENSE_SHARE: Final = 2


def scan_exactly(space: RowSpace, number: int, queries: NDArray[np.float32], metric: str, sieve: Sieve) -> None:
    """Offer the allowed rows of one view: in place where they lie together, or only those where they are few."""
    view, base, allowed = space.views[number], int(space.bases[number]), space.allowed[number]
    if not isinstance(view, SegmentView):
        _offer(view.memtable.matrix[: view.n_rows], base, allowed, queries, metric=metric, sieve=sieve)
        return
    mask = None if allowed is None else bitmap.to_mask(allowed, view.n_rows)
    if mask is None or space.n_allowed[number] * _DENSE_SHARE > view.n_rows:
        for first_row, matrix in view.reader.vector_blocks():
            bits = None if mask is None else bitmap.from_mask(mask[first_row : first_row + len(matrix)])
            _offer(matrix, base + first_row, bits, queries, metric=metric, sieve=sieve)
        return
    rows = np.flatnonzero(mask)
    for start in range(0, len(rows), _GATHER_ROWS):
        part = rows[start : start + _GATHER_ROWS]
        _offer(view.vectors(part), 0, None, queries, metric=metric, sieve=sieve, row_ids=base + part)


def _offer(
    matrix: NDArray[np.float32],
    first_id: int,
    allowed: Bits | None,
    queries: NDArray[np.float32],
    *,
    metric: str,
    sieve: Sieve,
    row_ids: NDArray[np.int64] | None = None,
) -> None:
    exact_scan(
        matrix,
        first_id,
        allowed,
        queries,
        metric,
        sieve.heaps,
        row_ids=row_ids,
        floors=sieve.floors,
        groups=sieve.groups,
    )
