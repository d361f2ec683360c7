"""Where a search of ranked buckets ends."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.kernels.probing import cumulative_shares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.format.calibration import Calibration

GROWTH: Final = 4
"""By how much the buckets scanned grow until the next look at the k-th distance."""

_MIN_PROBES: Final = 8
_PROBES_PER_ROOT: Final = 2.0
_LEAST_SHARE: Final = 1e-9
_LARGEST_SHARE: Final = 1 - 1e-12
_MARGIN: Final = 0.01
_MARGIN_OF_MISSES: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An end of a search: after a number of buckets, or at an expected share of the neighbours.

    Parameters
    ----------
    scanned : float
        Share of all rows that it is expected to scan, above 0 up to 1.
    n_probe : int or None
        After so many buckets, or else
    share : float
        where the calibrated model expects this share of the neighbours, 0 to 1.
    careful_share : float
        Instead of `share` for queries that the calibration does not speak for.
    selectivity : float
        Share of the rows that may be returned.
    calibration : Calibration or None
        Not None unless `n_probe` is given.
    """

    scanned: float
    n_probe: int | None = None
    share: float = 1.0
    careful_share: float = 1.0
    selectivity: float = 1.0
    calibration: Calibration | None = None

    def places(
        self,
        distances: NDArray[np.float32],
        counts: NDArray[np.int64],
        radii: NDArray[np.float64],
        lengths: NDArray[np.float64],
        *,
        metric: str,
        is_careful: NDArray[np.bool_],
    ) -> NDArray[np.int64]:
        """How many of its ranked buckets each query needs; see `kernels.probing` for the arguments."""
        if self.calibration is None:
            return np.full(len(radii), self.n_probe, dtype=np.int64)
        model = self.calibration
        shares = cumulative_shares(
            distances, counts, radii, lengths, metric, spread=model.spread, effective_dim=model.effective_dim
        )
        wanted = np.where(is_careful, self.careful_share, self.share)
        places: NDArray[np.int64] = (shares < wanted[:, np.newaxis]).sum(axis=1) + 1
        return places

    def first(self, n_buckets: int) -> int:
        """How many of `n_buckets` buckets to scan before the first look at the k-th distance."""
        if self.n_probe is not None:
            return self.n_probe
        return max(1, int(self.scanned * n_buckets / GROWTH))


def choose_stop(
    calibration: Calibration | None,
    n_buckets: int,
    *,
    target_recall: float,
    n_probe: int | None,
    k: int,
    selectivity: float,
) -> Stop:
    """The stop of a search for `k` rows when a share `selectivity` in (0, 1] of the rows may be returned.

    Notes
    -----
    Where a filter lets every tenth row pass, the k nearest reach as far as the 10 k nearest of all rows, and are spread
    over the buckets like these. Without a calibration 2 * sqrt(B) buckets are probed, as published settings around
    recall .95 do; a filter thins the buckets, so more of them are needed for the same number of candidates.
    """
    if n_probe is not None:
        return Stop(n_probe=min(n_probe, n_buckets), scanned=min(1.0, n_probe / n_buckets))
    if calibration is None:
        wanted = max(_MIN_PROBES, math.ceil(_PROBES_PER_ROOT * math.sqrt(n_buckets)))
        wanted = min(n_buckets, math.ceil(wanted / selectivity))
        return Stop(n_probe=wanted, scanned=wanted / n_buckets)
    # queries are harder than rows of the collection, on which the shares were measured, by up to a hundredth
    higher = target_recall + min(_MARGIN, (1 - target_recall) * _MARGIN_OF_MISSES)
    aim = max(target_recall, min(higher, calibration.recalls[-1]))
    share, scanned = (
        _share(curves, calibration.recalls, aim, k / selectivity)
        for curves in (
            [(curve.k, curve.shares) for curve in calibration.curves],
            [(curve.k, curve.scanned) for curve in calibration.curves],
        )
    )
    return Stop(
        share=share,
        careful_share=max(share, target_recall),
        scanned=scanned,
        selectivity=selectivity,
        calibration=calibration,
    )


def _share(curves: Sequence[tuple[int, Sequence[float]]], recalls: Sequence[float], recall: float, k: float) -> float:
    """The share of (k, share per recall) at any recall, held constant below the first, and any k, extrapolated.

    Notes
    -----
    Linear between logits of shares, in nines of recall and in the logarithm of k.
    """
    if recall > recalls[-1]:
        return 1.0
    place = max(1, bisect_left(recalls, recall))
    low, high, wanted = (-math.log1p(-value) for value in (recalls[place - 1], recalls[place], recall))
    at_recall = max(0.0, (wanted - low) / (high - low))
    upper = max(1, bisect_left([number for number, _ in curves], k, hi=len(curves) - 1))
    ends = curves[max(0, upper - 1) : upper + 1]
    logits = [_between(_logit(shares[place - 1]), _logit(shares[place]), at_recall) for _, shares in ends]
    if len(ends) == 1:
        return _share_of(logits[0])
    first, second = (math.log(number) for number, _ in ends)
    return _share_of(_between(logits[0], logits[1], (math.log(k) - first) / (second - first)))


def _between(first: float, second: float, place: float) -> float:
    return first + (second - first) * place


def _logit(share: float) -> float:
    clipped = min(max(share, _LEAST_SHARE), _LARGEST_SHARE)
    return math.log(clipped / (1 - clipped))


def _share_of(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))
