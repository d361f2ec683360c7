"""The normal distribution function, from a table: `erfc` takes as long as to scan a row of codes."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from drift_arrow.kernels._jit import kernel

NORMAL_LIMIT: Final = 9.0
"""Deviations from the mean beyond which nothing is left."""

_PER_UNIT: Final = 256
_LAST: Final = int(2 * NORMAL_LIMIT * _PER_UNIT)
_SCORES: Final = np.arange(_LAST + 1) / _PER_UNIT - NORMAL_LIMIT
_SHARES: Final = np.array([0.5 * math.erfc(-score / math.sqrt(2)) for score in _SCORES.tolist()])
_SHARES[0], _SHARES[_LAST] = 0.0, 1.0
_SLOPES: Final = np.exp(-np.square(_SCORES) / 2) / (math.sqrt(2 * math.pi) * _PER_UNIT)


@kernel(inline=True)
def normal_share(score: Any) -> Any:
    """Share of a normal distribution up to `score` standard deviations above its mean, in [0, 1]; 0 for NaN.

    A cubic between 256 points per deviation, with the slopes there: relative error below 1e-8 down to -8 deviations,
    and 0 below -9.
    """
    place = (score + NORMAL_LIMIT) * _PER_UNIT
    # written so that NaN becomes 0
    place = max(0.0, place)
    place = place if place < _LAST else np.float64(_LAST)
    left: Any = np.int64(place)
    right = left + 1 if left < _LAST else left
    t = place - left
    rest = 1.0 - t
    bend = _SLOPES[left] * rest - _SLOPES[right] * t
    return _SHARES[left] * rest + _SHARES[right] * t + t * rest * (bend + (rest - t) * (_SHARES[left] - _SHARES[right]))
