"""Which of two ways finds the nearest of few allowed rows sooner: reading just these, or probing buckets for them.

Measured at 128 and 784 dimensions, in bytes that are read in order in the same time.
"""

from __future__ import annotations

from typing import Final

_GATHERED: Final = 14
"""Per dimension of a row in full precision: 4 bytes, at random places, and decoded."""

_PROBING: Final = 512 << 10
"""Before the first bucket."""

_RANKED: Final = 4
"""Per dimension of a centroid."""

_BUCKET: Final = 4096
_WEIGHTS: Final = 6
"""Per bucket, and per dimension of it: what a query becomes before its codes are read."""

_WORTH: Final = 2
"""Times the cost of probing that the exact answer of a gather may take."""

_SPARSE: Final = 0.25
_JUMPED: Final = 2
"""Codes of fewer rows than this share are read one by one, each at this many times the cost."""


def gathers(n_allowed: int, n_rows: int, dim: int, n_buckets: int, scanned: float) -> bool:
    """Whether to read the allowed rows instead of probing.

    Parameters
    ----------
    n_allowed, n_rows, dim, n_buckets : int
        Of all segments.
    scanned : float
        Share of the buckets, and so of the rows, that probing is expected to scan; no more rows than that are gathered.
    """
    if n_allowed >= scanned * n_rows:
        return False
    selectivity = n_allowed / n_rows
    codes = scanned * n_rows * dim * (1.0 if selectivity >= _SPARSE else _JUMPED * selectivity)
    probing = _PROBING + n_buckets * (_RANKED * dim + scanned * (_BUCKET + _WEIGHTS * dim)) + codes
    return _GATHERED * dim * n_allowed < _WORTH * probing
