"""The ranking by urgency is bounded, and heals what searches pay for first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.engine.signs.bucket_statistics import BucketStatistics
from drift_arrow.engine.signs.urgency import Reason, urgency

TARGET = 100.0


def statistics(live, dead, **figures):
    n = len(live)
    plain = BucketStatistics(
        segment=np.zeros(n, np.int64),
        bucket=np.arange(n),
        live=np.asarray(live, np.int64),
        dead=np.asarray(dead, np.int64),
        drift=np.zeros(n),
        radius=np.ones(n),
        quantisation_error=np.full(n, 0.01),
        range_shift=np.zeros(n),
        age=np.zeros(n, np.int64),
        means=np.zeros((n, 2), np.float32),
        target_rows=TARGET,
    )
    changed: dict[str, Any] = {name: np.asarray(values, float) for name, values in figures.items()}
    return replace(plain, **changed)


def test_an_idle_half_full_bucket_starves_nobody():
    # naive: .5 / (0 + .001) = 500 for the idle one, 1 / 50 + 2 * .5 = 1.02 for the one that every query pays for
    found = urgency(statistics([50, 50, 5], [0, 50, 0]), np.array([0.0, 50.0, 0.0]))
    assert found.ranking().tolist() == [1, 2, 0]
    assert [Reason(number) for number in found.reasons] == [Reason.NONE, Reason.ZOMBIE, Reason.SPARSE]


def test_a_dead_hot_bucket_comes_before_a_dead_idle_one():
    # naive: 1 / 50 + 2 against 1 / .001 + 2
    found = urgency(statistics([0, 0, 100], [100, 100, 0]), np.array([0.0, 50.0, 50.0]))
    assert found.ranking().tolist() == [1, 0, 2]


def test_no_urgency_leaves_its_bounds_without_heat():
    found = urgency(statistics([0, 1, 50, 100, 5_000], [500, 0, 0, 0, 0]), np.zeros(5))
    assert found.values.max() <= 1
    # a row in the right place is no reason to do anything
    assert found.values[3] == 0
    assert found.reasons[3] == Reason.NONE


@given(
    seed=st.integers(0, 1_000),
    hottest=st.sampled_from([0.0, 1e-9, 1.0, 1e12]),
)
def test_urgency_is_always_from_0_to_1(seed, hottest):
    rng = np.random.default_rng(seed)
    n = 30
    found = urgency(
        statistics(
            rng.integers(0, 10_000, n),
            rng.integers(0, 10_000, n),
            drift=rng.exponential(size=n) * 10,
            quantisation_error=rng.exponential(size=n),
        ),
        rng.random(n) * hottest,
    )
    assert (found.values >= 0).all()
    assert (found.values <= 1).all()
    assert ((found.reasons == Reason.NONE) == (found.values == 0)).all()


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"live": [1_000, 100]}, Reason.OVERSIZE),
        ({"drift": [1.5, 0.1]}, Reason.DRIFT),
        ({"quantisation_error": [0.5, 0.01]}, Reason.QUANTISATION),
    ],
)
def test_every_trouble_has_its_reason(figures, reason):
    whole = replace(statistics([100, 100], [0, 0]), **{name: np.array(values) for name, values in figures.items()})
    found = urgency(whole, np.zeros(2))
    assert found.reasons.tolist() == [reason, Reason.NONE]


def test_drift_that_chance_explains_is_tolerated():
    found = urgency(statistics([100, 100, 4], [0, 0, 0], drift=[0.2, 0.6, 0.6]), np.full(3, 5.0))
    assert found.reasons[:2].tolist() == [Reason.NONE, Reason.DRIFT]
    assert found.reasons[2] == Reason.SPARSE


def test_more_dead_rows_and_more_heat_never_make_a_zombie_less_urgent():
    dead = urgency(statistics([50] * 5, [0, 10, 50, 200, 1_000]), np.full(5, 3.0))
    assert (np.diff(dead.values) > 0).all()
    hot = urgency(statistics([10] * 5, [90] * 5), np.array([0.0, 1.0, 5.0, 20.0, 100.0]))
    assert (np.diff(hot.values) > 0).all()


def test_no_bucket_at_all_is_ranked_as_none():
    found = urgency(statistics([], []), np.empty(0))
    assert len(found.values) == len(found.ranking()) == 0
