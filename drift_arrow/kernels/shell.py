"""How many rows of a bucket lie between two distances from a query, by the model of `probing`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.distance import DOT, metric_code
from drift_arrow.kernels.normal import normal_share
from drift_arrow.kernels.probing import LEAST_SPREAD, neighbour_score


@kernel
def _shell_shares(
    distances: Any, counts: Any, inner: Any, radii: Any, lengths: Any, is_dot: Any, model: Any, out: Any
) -> None:
    spread, effective_dim = model
    for q in range(distances.shape[0]):
        total = 0.0
        for j in range(distances.shape[1]):
            distance = np.float64(distances[q, j])
            outside = normal_share(neighbour_score(distance, radii[q], lengths[q], is_dot, spread, effective_dim))
            inside = normal_share(neighbour_score(distance, inner, lengths[q], is_dot, spread, effective_dim))
            total += np.float64(counts[q, j]) * max(outside - inside, 0.0)
            out[q, j] = total
        for j in range(distances.shape[1]):
            # where nothing is expected at all, the model has nothing to say
            out[q, j] = out[q, j] / total if total > 0.0 else 0.0


def shell_shares(
    distances: NDArray[np.float32],
    counts: NDArray[np.int64],
    inner: float,
    radii: NDArray[np.float64],
    lengths: NDArray[np.float64],
    *,
    metric: str,
    spread: float,
    effective_dim: float,
) -> NDArray[np.float64]:
    """Share of the rows between two distances that the buckets up to each place are expected to hold.

    Parameters
    ----------
    distances, counts, lengths, metric, spread, effective_dim
        As `probing.cumulative_shares` takes them; buckets may stand in any order.
    inner : float
        Distance at which the shell begins, in the units of `distances`; -inf for a ball.
    radii : (nq,) float64
        Distances at which it ends; not NaN.

    Returns
    -------
    (nq, B) float64
        In [0, 1], ascending along a row; 0 throughout where no rows are expected.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a number out of range, or unknown metric
    """
    distances = readonly("distances", distances, np.float32, None, None)
    n_queries, n_buckets = distances.shape
    if not (0 <= spread < math.inf and 0 < effective_dim < math.inf) or math.isnan(inner):
        raise ValueError(f"number out of range; got inner={inner} spread={spread} effective_dim={effective_dim}")
    shares = np.empty((n_queries, n_buckets), np.float64)
    _shell_shares(
        distances,
        readonly("counts", counts, np.int64, n_queries, n_buckets),
        float(inner),
        readonly("radii", radii, np.float64, n_queries),
        np.maximum(readonly("lengths", lengths, np.float64, n_queries), LEAST_SPREAD),
        metric_code(metric) == DOT,
        (max(float(spread), LEAST_SPREAD), float(effective_dim)),
        shares,
    )
    return shares
