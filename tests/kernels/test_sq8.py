from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.sq8 import sq8_decode, sq8_encode
from tests import oracle


def random_matrix(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def offsets_of(*sizes):
    return np.cumsum([0, *sizes]).astype(np.int64)


@pytest.mark.parametrize("dim", [1, 7, 8, 9, 100, 1023, 1024, 1025])
def test_codes_and_ranges_equal_the_oracle(dim):
    matrix, offsets = random_matrix(60, dim), offsets_of(20, 0, 1, 39)
    got = sq8_encode(matrix, offsets)
    codes, lo, step = oracle.sq8(matrix, offsets)
    assert got.codes.dtype == np.uint8
    np.testing.assert_array_equal(got.lo, lo)
    np.testing.assert_array_equal(got.step, step)
    np.testing.assert_array_equal(got.codes, codes)


@given(
    sizes=st.lists(st.integers(0, 20), max_size=5),
    offset=st.sampled_from([0.0, 1.0, 1e4, -1e30]),
    scale=st.sampled_from([1e-44, 1e-20, 1.0, 1e37]),
)
def test_a_decoded_value_is_off_by_at_most_half_a_step(sizes, offset, scale):
    matrix = (random_matrix(sum(sizes), 5) * np.float64(scale) + offset).astype(np.float32)
    offsets = offsets_of(*sizes)
    got = sq8_encode(matrix, offsets)
    step = np.repeat(got.step, np.diff(offsets), axis=0).astype(np.float64)
    decoded = np.repeat(got.lo, np.diff(offsets), axis=0).astype(np.float64) + step * got.codes
    # the step itself is rounded: to a multiple of the least float32, or in its last bit
    slack = 255 * np.maximum(1.5e-45, step * 2**-24)
    assert (np.abs(decoded - matrix) <= step / 2 + slack).all()


def test_the_extremes_of_a_bucket_are_the_codes_0_and_255():
    matrix = np.array([[-3, 1000.001], [5, 1000.002], [1, 1000.0015]], np.float32)
    assert sq8_encode(matrix, offsets_of(3)).codes[:2].tolist() == [[0, 0], [255, 255]]


def test_a_constant_dimension_has_step_zero_and_decodes_exactly():
    matrix = np.full((3, 2), 0.1, np.float32)
    got = sq8_encode(matrix, offsets_of(3))
    assert (got.step == 0).all()
    assert (got.codes == 0).all()
    np.testing.assert_array_equal(sq8_decode(got, offsets_of(3)), matrix)


def test_the_widest_range_of_floats_does_not_overflow():
    largest = np.finfo(np.float32).max
    got = sq8_encode(np.array([[-largest], [0], [largest]], np.float32), offsets_of(3))
    assert got.codes.ravel().tolist() == [0, 128, 255]
    assert np.isfinite(got.step).all()


def test_no_rows_and_empty_buckets_have_zeros_for_ranges():
    got = sq8_encode(np.empty((0, 3), np.float32), offsets_of(0, 0))
    assert got.codes.shape == (0, 3)
    assert (got.lo == 0).all()
    assert (got.step == 0).all()


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1023, 1024, 1025])
def test_decoding_undoes_encoding_at_every_size(n):
    matrix, offsets = random_matrix(n, 3), offsets_of(n // 2, n - n // 2)
    matrix.flags.writeable = False
    got = sq8_encode(matrix, offsets)
    np.testing.assert_allclose(sq8_decode(got, offsets), matrix, atol=float(got.step.max(initial=0)) * 0.501)


@pytest.mark.parametrize("offsets", [[], [0], [0, 2], [1, 3], [0, 2, 1, 3], [0, 4]])
def test_offsets_that_do_not_partition_the_rows_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets"):
        sq8_encode(np.zeros((3, 2), np.float32), np.array(offsets, np.int64))


@pytest.mark.parametrize("matrix", [np.zeros((3, 2)), np.zeros((3, 4), np.float32)[:, ::2], np.zeros(3, np.float32)])
def test_other_matrices_are_refused(matrix):
    with pytest.raises(ValueError, match="matrix"):
        sq8_encode(matrix, offsets_of(3))
