from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.distinct import count_changes, number_distinct, survey
from tests.kernels.encoded import UNSIGNED


@pytest.mark.parametrize("dtype", UNSIGNED)
@pytest.mark.parametrize("codes", ["uint16", "uint32"])
def test_all_values_of_a_column_are_numbered_in_their_order(dtype, codes):
    values = np.random.default_rng(2).integers(0, 200, 5000).astype(dtype)
    entries, numbers = np.unique(values, return_inverse=True)
    found = number_distinct(values, values.dtype.type(0), len(entries), codes)
    assert found is not None
    assert found.codes.dtype == codes
    np.testing.assert_array_equal(found.entries, entries)
    np.testing.assert_array_equal(found.codes, numbers)
    assert number_distinct(values, values.dtype.type(0), len(entries) - 1) is None


@pytest.mark.parametrize("step", [1, 2**32, 2**48, 0x9E3779B97F4A7C15])
@pytest.mark.parametrize("n_distinct", [1, 255, 256, 257, 1024, 5000, 16_384])
def test_tables_grow_with_the_values_whatever_they_have_in_common(n_distinct, step):
    random = np.random.default_rng(n_distinct)
    numbers = np.concatenate([np.arange(n_distinct), random.integers(0, n_distinct, 1000)]).astype(np.uint64)
    values = numbers * np.uint64(step)
    found = number_distinct(values, np.uint64(0), n_distinct)
    assert found is not None
    assert len(found.entries) == n_distinct
    assert (np.diff(found.entries) > 0).all()
    np.testing.assert_array_equal(found.entries[found.codes], values)


def test_flipped_bits_decide_the_order_of_entries():
    values = np.array([-5, 3, -(2**31), 2**31 - 1, 0], np.int32)
    found = number_distinct(values.view(np.uint32), np.uint32(2**31), 5)
    assert found is not None
    assert found.entries.view(np.int32).tolist() == sorted(values.tolist())


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), min_size=1, max_size=300), st.integers(1, 40))
def test_a_survey_counts_what_its_runs_hold(numbers, length):
    values, runs = np.array(numbers, np.uint64), 4
    found = survey(values, runs, length)
    step = max((len(values) - length) // (runs - 1), length) | 1
    starts = [0] if runs * length >= len(values) else range(0, len(values) - length + 1, step)
    size = len(values) if runs * length >= len(values) else length
    seen = [number for start in starts for number in numbers[start : start + size]]
    counts = Counter(Counter(seen).values())
    changes = sum(left != right for left, right in pairwise(seen))
    assert found == (len(seen), len(set(seen)), counts[1], counts[2], changes)
    assert count_changes(values, runs, length) == (len(seen), changes)


@pytest.mark.parametrize("n_distinct", [50, 1000, 20_000])
def test_a_survey_expects_about_as_many_values_as_there_are(n_distinct):
    values = np.random.default_rng(1).integers(0, n_distinct, 65_536).astype(np.uint64)
    assert survey(values, 4096, 1).expected(65_536) == pytest.approx(len(np.unique(values)), rel=0.15)


def test_a_survey_of_all_values_expects_no_others():
    values = np.arange(1000, dtype=np.uint64)
    assert survey(values, 4096, 1).expected(1000) == 1000
