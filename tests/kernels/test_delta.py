from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.integer_schemes import DELTA
from drift_arrow.kernels.integers import decode_integers
from tests.kernels.encoded import UNSIGNED, WIDTHS, one_vector, random_codes

EDGES = {1, 8, 9, 11, 12, 16, 17, 28, 29, 32, 33, 64}
"""Widths at which lanes or the bits of sums change, and those next to them."""


def running_sum(first, step, codes, dtype):
    values = [first]
    for code in codes[1:]:
        values.append((values[-1] + step + code) % (np.iinfo(dtype).max + 1))
    return values


@pytest.mark.parametrize(("dtype", "width"), WIDTHS)
def test_the_sum_runs_modulo_the_range_at_every_width(dtype, width):
    codes, step, first = [0, *random_codes(width)[1:]], np.iinfo(dtype).max - 4, np.iinfo(dtype).max // 3
    encoded = one_vector(dtype, DELTA, codes, width=width, base=step, exceptions=[(0, first)])
    assert decode_integers(encoded).tolist() == running_sum(first, step, codes, dtype)


@pytest.mark.parametrize("width", [8, 16, 32, 64])
def test_sums_of_the_largest_codes_do_not_overflow_the_sums_of_a_block(width):
    codes = [0] + [2**width - 1] * 1023
    encoded = one_vector("uint64", DELTA, codes, width=width, exceptions=[(0, 1)])
    assert decode_integers(encoded).tolist() == running_sum(1, 0, codes, "uint64")


@pytest.mark.parametrize("dtype", UNSIGNED)
def test_a_vector_without_width_rises_by_its_base(dtype):
    encoded = one_vector(dtype, DELTA, base=3, exceptions=[(0, 250)])
    assert decode_integers(encoded).tolist() == running_sum(250, 3, [0] * 1024, dtype)


@pytest.mark.parametrize("width", [0, 4])
def test_the_sum_starts_anew_at_every_exception(width):
    codes = [0, *random_codes(4)[1:]] if width else [0] * 1024
    exceptions = [(0, 100), (1, 10**12), (512, 3), (1023, 2**64 - 1)]
    encoded = one_vector("uint64", DELTA, codes, width=width, base=1, exceptions=exceptions)
    want = []
    for (start, value), stop in zip(exceptions, [1, 512, 1023, 1024], strict=True):
        want += running_sum(value, 1, codes[start:stop], "uint64")
    assert decode_integers(encoded).tolist() == want


@pytest.mark.parametrize(("dtype", "width"), [(dtype, width) for dtype, width in WIDTHS if width in EDGES])
@given(starts=st.sets(st.integers(1, 1023), max_size=40), seed=st.integers(0, 2**32))
def test_the_sum_starts_anew_at_any_places(dtype, width, starts, seed):
    random = np.random.default_rng(seed)
    codes = random_codes(width, seed)
    positions = [0, *sorted(starts)]
    firsts = random.integers(0, np.iinfo(dtype).max, len(positions), dtype, endpoint=True).tolist()
    step = int(random.integers(0, np.iinfo(dtype).max, dtype=dtype))
    encoded = one_vector(
        dtype, DELTA, codes, width=width, base=step, exceptions=list(zip(positions, firsts, strict=True))
    )
    want = []
    for first, start, stop in zip(firsts, positions, [*positions[1:], 1024], strict=True):
        want += running_sum(first, step, codes[start:stop], dtype)
    assert decode_integers(encoded).tolist() == want


def test_the_first_code_of_a_vector_counts_nothing():
    codes = random_codes(5)
    assert codes[0]
    encoded = one_vector("uint32", DELTA, codes, width=5, exceptions=[(0, 100)])
    assert decode_integers(encoded)[0] == 100


def test_every_value_may_be_an_exception():
    encoded = one_vector("uint16", DELTA, random_codes(9), width=9, exceptions=[(i, 7 * i) for i in range(1024)])
    assert decode_integers(encoded).tolist() == [7 * i for i in range(1024)]


@pytest.mark.parametrize(("dtype", "width"), [("uint32", 11), ("uint32", 12), ("uint64", 28), ("uint64", 29)])
def test_sums_of_the_largest_codes_fit_into_as_few_bits_as_their_width_allows(dtype, width):
    codes = [0] + [2**width - 1] * 1023
    encoded = one_vector(dtype, DELTA, codes, width=width, base=5, exceptions=[(0, 1)])
    assert decode_integers(encoded).tolist() == running_sum(1, 5, codes, dtype)
