"""Which way finds the nearest of some allowed rows soonest: probing buckets, scanning all of them, or reading rows.

In microseconds, measured at 128 dimensions; those of other dimensions follow by their number.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

_UNIT: Final = 128
"""Dimensions that the costs speak of."""

_CALL: Final = 15.0
_RANKED: Final = 0.008
_SORTED: Final = 0.02
"""Per bucket, whatever is scanned of it; sorting, where all are."""

_BUCKET: Final = 0.1
_WEIGHTS: Final = 0.13
"""Per bucket that is scanned, and for each unit of dimensions: what a query becomes before its codes are read."""

_ROW: Final = 0.005
_CODES: Final = 0.006
"""Per allowed row, and for each unit of dimensions."""

_GATHERING: Final = 80.0
_GATHERED: Final = 0.9
"""Before the first row in full precision, and for each unit of dimensions of a row."""

_WORTH: Final = 2.0
"""Times the cost of probing that an answer that misses nothing may take."""


class Way(Enum):
    """How allowed rows are sought."""

    PROBE = "probe"
    SCAN = "scan"
    GATHER = "gather"


def cheapest_way(n_allowed: int, dim: int, n_buckets: int, scanned: float) -> Way:
    """The way to take.

    Parameters
    ----------
    n_allowed : int
        Rows of all segments, at least 1.
    dim, n_buckets : int
    scanned : float
        Share of the buckets that probing is expected to scan.

    Notes
    -----
    Buckets without an allowed row are passed over, so to scan the codes of few rows takes little more than to rank.
    """
    units = dim / _UNIT
    ranking = _CALL + _RANKED * units * n_buckets
    codes = min(n_buckets, n_allowed) * (_BUCKET + _WEIGHTS * units) + n_allowed * (_ROW + _CODES * units)
    probing = ranking + min(scanned, 1.0) * codes
    scanning = ranking + _SORTED * n_buckets + codes
    gathering = _GATHERING + _GATHERED * units * n_allowed
    if min(scanning, gathering) > _WORTH * probing:
        return Way.PROBE
    return Way.SCAN if scanning <= gathering else Way.GATHER
