from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.bit_lengths import lengths_above, lengths_below, patched_width
from tests import oracle
from tests.kernels.encoded import UNSIGNED


@kernel
def _lengths(values, origin, above, below):
    source = np.uint64(values.ctypes.data)
    lengths_above(source, origin, np.uint64(above.ctypes.data))
    lengths_below(source, origin, np.uint64(below.ctypes.data))


@pytest.mark.parametrize("dtype", UNSIGNED)
@pytest.mark.parametrize("seed", range(3))
def test_lengths_are_those_of_distances_modulo_the_range_of_the_type(dtype, seed):
    rng, bits = np.random.default_rng(seed), np.dtype(dtype).itemsize * 8
    values = (rng.integers(0, 2**64, 1024, np.uint64) >> rng.integers(64 - bits, 64, 1024, np.uint64)).astype(dtype)
    above, below = np.empty((2, 1024), np.uint8)
    _lengths(values, values[7], above, below)
    origin, numbers = int(values[7]), values.tolist()
    assert above.tolist() == [((number - origin) % 2**bits).bit_length() for number in numbers]
    assert below.tolist() == [((origin - number) % 2**bits).bit_length() for number in numbers]


@given(
    lengths=st.lists(st.integers(0, 64), min_size=1, max_size=20),
    outliers=st.integers(0, 40),
    exception_bits=st.sampled_from([24, 32, 48, 80]),
    most=st.sampled_from([0, 8, 1024]),
    seed=st.integers(0, 2**32),
)
def test_the_patched_width_costs_as_little_as_the_best_of_the_histogram(lengths, outliers, exception_bits, most, seed):
    random = Random(seed)
    lengths = random.choices(lengths, k=1024 - outliers) + random.choices(range(65), k=outliers)
    codes = [random.getrandbits(length) | 1 << length >> 1 for length in lengths]
    longest = max(code.bit_length() for code in codes)
    found = np.array([code.bit_length() for code in codes], np.uint8)
    width, count = patched_width(found, longest, exception_bits, most)
    assert count == sum(code.bit_length() > width for code in codes) <= most
    assert 1024 * width + count * exception_bits == oracle.cheapest_width(codes, exception_bits, most)
