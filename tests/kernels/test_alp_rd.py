from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels.alp_rd_search import search_cut
from drift_arrow.kernels.floats import encode_floats
from tests.kernels import float_oracle as oracle


def normal(n, dtype, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(dtype)


def brain_floats(n, seed=0):
    """float32 values that bfloat16 holds."""
    return (normal(n, np.float32, seed).view(np.uint32) & 0xFFFF0000).view(np.float32)


def unit_vectors(n, dim, dtype):
    vectors = np.random.default_rng(0).standard_normal((n, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(dtype).ravel()


@pytest.mark.parametrize(("dtype", "limit"), [(np.float16, 15.2), (np.float32, 28.0), (np.float64, 57.0)])
def test_embeddings_lose_their_common_bits(dtype, limit):
    encoded = oracle.round_trip(unit_vectors(400, 256, dtype))
    assert encoded.scheme_counts == {"alp_rd": 100}
    assert encoded.bits_per_value < limit


def test_widened_brain_floats_take_at_most_13_bits():
    encoded = oracle.round_trip(brain_floats(102400))
    assert encoded.bits_per_value < 13
    high, low = encoded.exponents[0].tolist()
    assert low >= 16
    assert encoded.widths[0] + low <= high


def test_widened_half_floats_take_the_bits_of_half_floats():
    halves = unit_vectors(100, 1024, np.float16)
    wide = oracle.round_trip(halves.astype(np.float32))
    assert wide.bits_per_value < oracle.round_trip(halves).bits_per_value + 0.5


def test_doubles_that_were_floats_lose_their_zeros():
    assert oracle.round_trip(normal(102400, np.float32).astype(np.float64)).bits_per_value < 29


def test_one_value_with_all_its_bits_keeps_the_zeros_of_its_vector_only():
    values = brain_floats(4096)
    values[2000] = np.float32(0.1)
    encoded = oracle.round_trip(values)
    assert [low >= 16 for low in encoded.exponents[:, 1].tolist()] == [True, False, True, True]


def test_left_parts_outside_the_dictionary_are_exceptions():
    values = np.random.default_rng(0).uniform(1, 2, 102400)
    values[::500] *= 2.0 ** np.random.default_rng(1).integers(-900, 900, len(values[::500]))
    encoded = oracle.round_trip(values)
    assert encoded.scheme_counts == {"alp_rd": 100}
    assert encoded.positions.size == encoded.lefts.size
    assert 100 < encoded.lefts.size <= 205


def test_values_of_one_sign_and_exponent_need_no_code():
    encoded = oracle.round_trip(np.random.default_rng(0).uniform(0.5, 1, 4096).astype(np.float16))
    assert encoded.bases.tolist() == [0] * 4
    assert encoded.widths.max() <= 10


def test_half_floats_of_few_values_are_all_dictionary():
    encoded = oracle.round_trip(np.random.default_rng(0).choice(np.array([1.25, -2.5, 7], np.float16), 4096))
    assert encoded.widths.tolist() == [0] * 4
    assert encoded.bases.tolist() == [2] * 4


def test_the_cut_is_where_the_fewest_bits_remain():
    bits = np.random.default_rng(0).integers(0, 2**40, 4096, dtype=np.uint64) | np.uint64(0x3FF123 << 40)
    right_bits, dictionary, estimate = search_cut(bits)
    assert right_bits == 48
    assert dictionary.tolist() == [0x3FF1] * 8
    assert estimate == 48


def test_brain_floats_of_a_real_cache_take_at_most_13_bits():
    values = np.fromfile(oracle.shared("float/kv_cache_original.f32"), np.float32)
    assert oracle.round_trip(values).bits_per_value < 13


def test_a_real_cache_of_mixed_precision_loses_the_zeros_of_some_vectors():
    values = np.fromfile(oracle.shared("float/kv_cache_diff.f32"), np.float32)
    assert oracle.round_trip(values).bits_per_value < 21.5


def test_dimensions_that_differ_all_count_in_the_dictionary():
    rng = np.random.default_rng(0)
    # each dimension has its own magnitude: a sample of every 64th value would see four of them
    matrix = rng.standard_normal((256, 256)) * 2.0 ** rng.integers(-8, 0, 256)
    values = matrix.astype(np.float32).reshape(-1)
    shuffled = rng.permutation(values)
    assert encode_floats(values).bits_per_value < encode_floats(shuffled).bits_per_value + 0.1
