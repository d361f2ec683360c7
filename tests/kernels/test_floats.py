from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.encoded_floats import check_floats
from drift_arrow.kernels.floats import decode_floats, decode_vector, encode_floats
from tests.kernels import float_oracle as oracle

DTYPES = [np.float16, np.float32, np.float64]
LENGTHS = [0, 1, 2, 1023, 1024, 1025, 2047, 3000]


def decimals(n, dtype=np.float64, digits=2, seed=0):
    return np.round(np.random.default_rng(seed).normal(50, 20, n), digits).astype(dtype)


def noise(n, dtype=np.float64, seed=0):
    return np.random.default_rng(seed).standard_normal(n).astype(dtype)


def any_bits(n, dtype=np.float64, seed=0):
    return np.frombuffer(bytearray(np.random.default_rng(seed).bytes(n * np.dtype(dtype).itemsize)), dtype)


def specials(dtype):
    size = np.dtype(dtype).itemsize * 8
    limits = np.finfo(dtype)
    exponent = ((1 << size - 1 - limits.nmant) - 1) << limits.nmant
    nans = [exponent | 1, exponent | 1 << (limits.nmant - 1), exponent | (1 << limits.nmant) - 1]
    nans += [nan | 1 << (size - 1) for nan in nans]
    plain = [0.0, -0.0, np.inf, -np.inf, limits.max, limits.min, limits.tiny, limits.smallest_subnormal, 0.1, -1.5]
    return np.concatenate([np.array(nans, f"u{size // 8}").view(dtype), np.array(plain, dtype)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("make", [decimals, noise, any_bits])
def test_every_length_comes_back(make, n, dtype):
    assert check_floats(oracle.round_trip(make(n, dtype))) is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("background", [decimals, noise])
def test_special_values_come_back_bit_by_bit_among_others(background, dtype):
    values = background(5000, dtype)
    values[100 : 100 + len(specials(dtype))] = specials(dtype)
    values[-len(specials(dtype)) :] = specials(dtype)
    encoded = oracle.round_trip(values)
    assert "raw" not in encoded.scheme_counts


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values_alone_come_back_bit_by_bit(dtype):
    for special in specials(dtype):
        for n in (1, 1024, 1500):
            assert oracle.round_trip(np.full(n, special)).scheme_counts == {"constant": -(-n // 1024)}


@st.composite
def patterns(draw):
    """Few values, spread over some vectors."""
    dtype = draw(st.sampled_from(DTYPES))
    size = np.dtype(dtype).itemsize * 8
    by_bits = st.integers(0, 2**size - 1).map(lambda bits: np.array([bits], f"u{size // 8}").view(dtype)[0])
    by_digits = st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 12)).map(lambda pair: pair[0] / 10 ** pair[1])
    some = draw(st.lists(st.one_of(by_bits, by_digits, st.floats(width=size)), min_size=1, max_size=20))
    with np.errstate(over="ignore"):
        values = np.array([dtype(value) for value in some], dtype)
    # an assignment of a signalling NaN may quiet it, a view cannot
    order = np.random.default_rng(draw(st.integers(0, 99))).integers(
        0, len(some), draw(st.sampled_from([1, 1024, 2500]))
    )
    return oracle.bits(values)[order].view(dtype)


@given(patterns(), st.booleans())
def test_any_values_come_back_bit_by_bit(values, whole_bytes):
    assert check_floats(oracle.round_trip(values, whole_bytes=whole_bytes)) is None


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("digits", range(7))
def test_decimals_come_back_from_whole_bytes(dtype, digits):
    values = decimals(5000, dtype, digits)
    values[::700] = 6e4
    values[1::700] = np.nan
    encoded = oracle.round_trip(values, whole_bytes=True)
    assert check_floats(encoded) is None
    assert set(encoded.widths[encoded.schemes == 2].tolist()).isdisjoint([*range(1, 8), *range(9, 16)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_decimals_have_the_same_whole_bytes_in_vectors_of_different_ranges(dtype):
    integers = np.random.default_rng(0).integers(200, 230, 2048)
    integers[1024:] -= 50
    encoded = encode_floats((integers / 10).astype(dtype), whole_bytes=True)
    assert encoded.widths.tolist() == [8, 8]
    assert encode_floats((integers / 10).astype(dtype)).bases.tolist() == [200, 150]
    assert encoded.bases.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [decimals, noise, any_bits])
def test_encoded_floats_mean_what_their_description_says(make, dtype):
    values = make(3000, dtype)
    values[:1024:100] = np.inf if make is not any_bits else values[0]
    encoded = encode_floats(values)
    got = np.array([value for vector in oracle.decoded_vectors(encoded) for value in vector], f"u{values.itemsize}")
    np.testing.assert_array_equal(got[:3000], oracle.bits(values))


def test_decimals_take_alp_and_other_numbers_alp_rd():
    assert encode_floats(decimals(4096)).scheme_counts == {"alp": 4}
    assert encode_floats(noise(4096)).scheme_counts == {"alp_rd": 4}
    assert encode_floats(any_bits(4096)).scheme_counts == {"raw": 4}


def test_each_row_group_has_the_scheme_that_suits_it():
    values = np.concatenate([decimals(102400), noise(102400), any_bits(1024)])
    assert oracle.round_trip(values).schemes.tolist() == [2] * 100 + [3] * 100 + [1]


def test_the_end_of_a_row_group_that_its_samples_do_not_show_is_no_worse_than_raw():
    values = decimals(102400)
    values.reshape(100, 1024)[:, 1::2] = noise(51200).reshape(100, 512)
    assert oracle.round_trip(values).bits_per_value < 65


def test_one_vector_comes_back_alone():
    values = np.concatenate([decimals(2048), noise(2048), np.zeros(1024), decimals(100)])
    encoded, out = encode_floats(values), np.empty(1024)
    for number in [5, 0, 3, 4, 1, 2]:
        n = decode_vector(encoded, number, out)
        oracle.assert_same_bits(out[:n], values[number * 1024 : number * 1024 + 1024])
    assert decode_vector(encoded, 5, out) == 100


@pytest.mark.parametrize("number", [-1, 2])
def test_a_vector_that_is_not_there_is_refused(number):
    with pytest.raises(ValueError, match=rf"there is no such vector; got={number} vectors=2"):
        decode_vector(encode_floats(decimals(1025)), number, np.empty(1024))


def test_the_output_may_be_given():
    values, out = decimals(3000), np.empty(3000)
    assert decode_floats(encode_floats(values), out) is out
    oracle.assert_same_bits(out, values)


def test_read_only_values_and_slices_are_encoded():
    values = decimals(5000)
    values.flags.writeable = False
    oracle.round_trip(values[7:4007])


@pytest.mark.parametrize(
    "values", [decimals(10)[::2], np.zeros((2, 2)), np.zeros(3, np.int64), np.zeros(3, ">f8"), [1.0]]
)
def test_values_of_other_types_and_layouts_are_refused(values):
    with pytest.raises(ValueError, match=r"values must be|values has"):
        encode_floats(values)


@pytest.mark.parametrize("out", [np.empty(9), np.empty(20)[::2], np.empty(10, np.float32), np.zeros((10, 1))])
def test_outputs_of_other_types_and_shapes_are_refused(out):
    with pytest.raises(ValueError, match="out"):
        decode_floats(encode_floats(decimals(10)), out)


def test_the_output_may_be_a_memory_map(tmp_path):
    values = decimals(2000)
    out = np.memmap(tmp_path / "values", np.float64, "w+", shape=2000)
    decode_floats(encode_floats(values), out)
    oracle.assert_same_bits(np.asarray(out), values)


def test_a_read_only_output_is_refused():
    out = np.empty(10)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writable"):
        decode_floats(encode_floats(decimals(10)), out)


def test_sizes_count_every_array():
    encoded = encode_floats(noise(2048))
    arrays = (encoded.headers, encoded.bases, encoded.dictionaries, encoded.positions, encoded.lefts, encoded.packed)
    assert encoded.size_bytes == sum(array.nbytes for array in arrays) - 128
    assert encoded.bits_per_value == encoded.size_bytes / 256
    assert np.isnan(encode_floats(np.empty(0)).bits_per_value)


@pytest.mark.parametrize("n", [1, 1024, 5000])
def test_new_outputs_begin_where_a_cache_line_does(n):
    decoded = decode_floats(encode_floats(decimals(n)))
    assert decoded.ctypes.data % 64 == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("start", [0, -(2**31), 2**31 - 200, 2**31 - 100, 2**40, -(2**40)])
def test_whole_numbers_come_back_without_scaling(dtype, start):
    values = (np.random.default_rng(0).integers(0, 200, 3000) + start).astype(dtype)
    encoded = oracle.round_trip(values)
    assert not encoded.exponents[encoded.schemes == 2].any()
