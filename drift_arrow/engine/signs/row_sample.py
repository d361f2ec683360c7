"""Random live rows of a snapshot, to stand for its data or for queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace


def sample_rows(space: RowSpace, most: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Ascending ids (n,) int64 and vectors (n, dim) float32 of at most `most` random allowed rows.

    Notes
    -----
    O(rows / 8) bytes are read beside the vectors: only views that rows are drawn from are unpacked.
    """
    ends = np.cumsum(space.n_allowed)
    n_rows = int(ends[-1])
    drawn = np.sort(np.random.default_rng(seed).choice(n_rows, min(most, n_rows), replace=False))
    parts = [np.empty(0, np.int64)]
    for number, stop in enumerate(ends.tolist()):
        places = drawn[(drawn >= stop - space.n_allowed[number]) & (drawn < stop)] - (stop - space.n_allowed[number])
        bits = space.allowed[number]
        if len(places) and bits is not None:
            places = np.flatnonzero(bitmap.to_mask(bits, space.views[number].n_rows))[places]
        parts.append(places + space.bases[number])
    ids = np.concatenate(parts).astype(np.int64)
    return ids, space.vectors(ids)
