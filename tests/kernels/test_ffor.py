from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels.integer_schemes import FRAME
from drift_arrow.kernels.integers import decode_integers
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
