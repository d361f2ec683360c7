from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels.shell import shell_shares
from tests import oracle

N_BUCKETS = 40


def model_of(metric, seed=3):
    rng = np.random.default_rng(seed)
    distances = rng.uniform(0.1, 30, N_BUCKETS).astype(np.float32)
    if metric == "dot":
        distances -= np.float32(20)
    return distances, rng.integers(0, 500, N_BUCKETS)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
@pytest.mark.parametrize("inner", [-np.inf, -5.0, 3.0, 9.0])
def test_shares_are_those_of_rows_between_two_distances(metric, inner):
    distances, counts = model_of(metric)
    radii, lengths = np.array([12.0, 14.0]), np.array([2.0, 3.0])
    found = shell_shares(
        np.tile(distances, (2, 1)),
        np.tile(counts, (2, 1)),
        inner,
        radii,
        lengths,
        metric=metric,
        spread=4,
        effective_dim=9,
    )
    for q in range(2):
        outside, inside = (
            oracle.expected_rows(distances.astype(np.float64), counts, end, lengths[q], metric, 4, 9)
            for end in (radii[q], inner)
        )
        expected = np.cumsum(outside - inside)
        np.testing.assert_allclose(found[q], expected / expected[-1], rtol=1e-6, atol=1e-9)


def test_nothing_is_reached_where_nothing_is_expected():
    ones = np.ones((1, 3), np.float32)
    counts = np.ones((1, 3), np.int64)
    for inner, radius in ((5.0, 5.0), (5.0, 4.0)):
        shares = shell_shares(
            ones, counts, inner, np.array([radius]), np.ones(1), metric="l2", spread=1, effective_dim=4
        )
        assert shares.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("wrong", [{"inner": np.nan}, {"spread": -1}, {"effective_dim": 0}, {"spread": np.inf}])
def test_numbers_out_of_range_are_refused(wrong):
    right = {"inner": 0.0, "spread": 1, "effective_dim": 4}
    with pytest.raises(ValueError, match="out of range"):
        shell_shares(
            np.ones((1, 3), np.float32),
            np.ones((1, 3), np.int64),
            radii=np.ones(1),
            lengths=np.ones(1),
            metric="l2",
            **(right | wrong),
        )
