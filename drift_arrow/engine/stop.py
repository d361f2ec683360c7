"""Where a search of ranked buckets ends."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from drift_arrow.kernels.probe import StopRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drift_arrow.format.calibration import Calibration

_FIRST_SHARE: Final = 0.25
"""Of the buckets that a search is expected to scan, those before its first look at the k-th distance."""

_FAR: Final = 4
_MIN_PROBES: Final = 8
_PROBES_PER_ROOT: Final = 2.0
_LEAST_SHARE: Final = 1e-9
_LARGEST_SHARE: Final = 1 - 1e-12
_MARGIN: Final = 0.01
_MARGIN_OF_MISSES: Final = 0.25


@dataclass(frozen=True, slots=True)
class Stop:
    """The end of a search, and the share of all rows that it is expected to scan, above 0 up to 1."""

    rule: StopRule
    scanned: float


@lru_cache(maxsize=256)
def choose_stop(
    calibration: Calibration | None,
    n_buckets: int,
    n_rows: int,
    *,
    target_recall: float,
    n_probe: int | None,
    k: int,
    selectivity: float,
) -> Stop:
    """The stop of a search for `k` rows when a share `selectivity` in (0, 1] of the rows may be returned.

    Parameters
    ----------
    calibration : Calibration or None
        Of the segments.
    n_buckets, n_rows : int
        Of all segments, at least 1.
    target_recall : float
        Between 0 and 1.
    n_probe : int or None
        Buckets to scan instead.
    k : int
        At least 1.
    selectivity : float
        In (0, 1].

    Notes
    -----
    Where a filter lets every tenth row pass, the k nearest reach as far as the 10 k nearest of all rows, and are spread
    over the buckets like these. Without a calibration 2 * sqrt(B) buckets are probed, as published settings around
    recall .95 do; a filter thins the buckets, so more of them are needed for the same number of candidates.

    A query that meets many more rows than expected before k allowed ones has a filter that keeps rows far from it.
    Calibration saw no such query, and its stops, which are lower than the recall because they make up for rows that the
    model expects in too many buckets, would come too early: there the target itself is the share.
    """
    if calibration is None or n_probe is not None:
        wanted = n_probe
        if wanted is None:
            wanted = max(_MIN_PROBES, math.ceil(_PROBES_PER_ROOT * math.sqrt(n_buckets)))
            wanted = math.ceil(wanted / selectivity)
        wanted = min(wanted, n_buckets)
        return Stop(StopRule(k=k, first=wanted, n_probe=wanted), wanted / n_buckets)
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
    rule = StopRule(
        k=k,
        first=max(1, int(scanned * n_buckets * _FIRST_SHARE)),
        share=share,
        careful_share=max(share, target_recall),
        far_rows=_FAR * (k / selectivity + n_rows / n_buckets),
        spread=calibration.spread,
        effective_dim=calibration.effective_dim,
    )
    return Stop(rule, scanned)


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
