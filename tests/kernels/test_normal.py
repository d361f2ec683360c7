from __future__ import annotations

import math

import numpy as np
import pytest

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.normal import normal_share


@kernel
def all_shares(scores, out):
    for i in range(scores.size):
        out[i] = normal_share(scores[i])


def shares(scores):
    out = np.empty(len(scores))
    all_shares(np.asarray(scores, np.float64), out)
    return out


def test_shares_are_those_of_the_normal_distribution():
    scores = np.linspace(-8, 12, 20_001)
    want = [0.5 * math.erfc(-score / math.sqrt(2)) for score in scores.tolist()]
    np.testing.assert_allclose(shares(scores), want, rtol=1e-8)


@pytest.mark.parametrize(("score", "share"), [(-1e300, 0), (-math.inf, 0), (math.nan, 0), (1e300, 1), (math.inf, 1)])
def test_nothing_is_beyond_the_ends(score, share):
    assert shares([score])[0] == share
