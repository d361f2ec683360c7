from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.ffor import patched_width
from drift_arrow.kernels.integer_schemes import FRAME
from drift_arrow.kernels.integers import decode_integers
from tests import oracle
from tests.kernels.encoded import UNSIGNED, WIDTHS, one_vector, random_codes


@pytest.mark.parametrize(("dtype", "width"), WIDTHS)
def test_the_base_is_added_modulo_the_range_at_every_width(dtype, width):
    base, codes = np.iinfo(dtype).max - 2, random_codes(width)
    encoded = one_vector(dtype, FRAME, codes, width=width, base=base)
    assert decode_integers(encoded).tolist() == [(base + code) % (np.iinfo(dtype).max + 1) for code in codes]


@pytest.mark.parametrize("dtype", UNSIGNED)
def test_a_vector_without_width_is_its_base(dtype):
    assert set(decode_integers(one_vector(dtype, FRAME, base=77)).tolist()) == {77}


@pytest.mark.parametrize("width", [0, 3, 30])
def test_exceptions_stand_for_themselves(width):
    codes, exceptions = random_codes(width) if width else [0] * 1024, [(0, 5), (511, 2**32 - 1), (1023, 0)]
    values = decode_integers(one_vector("uint32", FRAME, codes, width=width, base=9, exceptions=exceptions))
    want = [9 + code for code in codes]
    for position, value in exceptions:
        want[position] = value
    assert values.tolist() == want


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
    width, count = patched_width(np.array(codes, np.uint64), np.uint64(max(codes)), exception_bits, most)
    assert count == sum(code.bit_length() > width for code in codes) <= most
    assert 1024 * width + count * exception_bits == oracle.cheapest_width(codes, exception_bits, most)
