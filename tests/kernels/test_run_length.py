from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.integer_schemes import RUNS
from drift_arrow.kernels.integers import decode_integers
from drift_arrow.kernels.run_length import count_runs
from tests.kernels.encoded import UNSIGNED, one_vector


@pytest.mark.parametrize("dtype", UNSIGNED)
@given(starts=st.sets(st.integers(1, 1023)), seed=st.integers(0, 1000))
def test_each_run_reaches_to_the_next(dtype, starts, seed):
    starts = [0, *sorted(starts)]
    values = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, len(starts), dtype, endpoint=True)
    runs = list(zip(starts, values.tolist(), strict=True))
    decoded = decode_integers(one_vector(dtype, RUNS, exceptions=runs))
    np.testing.assert_array_equal(decoded, np.repeat(values, np.diff([*starts, 1024])))


@pytest.mark.parametrize("starts", [range(1024), [0, 1023], [0, 1009], [0, 1008, 1010]])
def test_nothing_is_written_behind_the_vector(starts):
    out = np.full(1024 + 64, 9, np.uint64)
    runs = [(start, 1) for start in starts]
    decode_integers(one_vector("uint64", RUNS, exceptions=runs), out[:1024])
    assert out.tolist() == [1] * 1024 + [9] * 64


def test_a_run_ends_where_the_value_changes():
    values = np.zeros(1024, np.uint16)
    assert count_runs(values) == 1
    values[1023] = 1
    values[0] = 5
    assert count_runs(values) == 3
