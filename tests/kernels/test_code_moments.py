from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.code_moments import code_moments


def addresses(codes, offsets):
    starts = offsets[:-1].astype(np.uint64) * np.uint64(codes.shape[1])
    return np.uint64(codes.ctypes.data) + starts


@given(
    sizes=st.lists(st.integers(0, 40), max_size=6),
    dim=st.integers(1, 70),
    share=st.none() | st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_moments_are_those_of_the_allowed_rows(sizes, dim, share, seed):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    codes = rng.integers(0, 256, (offsets[-1], dim), np.uint8)
    mask = np.ones(len(codes), bool) if share is None else rng.random(len(codes)) < share
    bits = None if share is None else bitmap.from_mask(mask)
    moments = code_moments(addresses(codes, offsets), offsets, dim, bits)
    for b in range(len(sizes)):
        rows = codes[offsets[b] : offsets[b + 1]][mask[offsets[b] : offsets[b + 1]]]
        assert moments.counts[b] == len(rows)
        np.testing.assert_array_equal(moments.sums[b], rows.sum(axis=0, dtype=np.uint64))
        np.testing.assert_array_equal(moments.squares[b], np.square(rows.astype(np.uint64)).sum(axis=0))
        np.testing.assert_array_equal(moments.least[b], rows.min(axis=0, initial=255))
        np.testing.assert_array_equal(moments.most[b], rows.max(axis=0, initial=0))


def test_squares_of_more_rows_than_32_bits_hold_do_not_wrap():
    codes = np.full((70_000, 1), 255, np.uint8)
    offsets = np.array([0, len(codes)])
    moments = code_moments(addresses(codes, offsets), offsets, 1, None)
    assert moments.squares[0, 0] == len(codes) * 255**2
    assert moments.sums[0, 0] == len(codes) * 255


def test_too_few_bits_and_falling_offsets_are_refused():
    codes = np.zeros((9, 2), np.uint8)
    with pytest.raises(ValueError, match="reach to the last row"):
        code_moments(addresses(codes, np.array([0, 9])), np.array([0, 9]), 2, np.zeros(1, np.uint8))
    with pytest.raises(ValueError, match="must rise"):
        code_moments(np.zeros(2, np.uint64), np.array([0, 9, 3]), 2, None)
