from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from drift_arrow.kernels.encoded_integers import check_integers
from drift_arrow.kernels.integer_costs import FAST, SMALL, IntegerCosts
from drift_arrow.kernels.integer_measure import measure
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME, RUNS
from drift_arrow.kernels.integers import decode_integers, decode_vector, encode_integers

DTYPES = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
LENGTHS = [0, 1, 2, 1023, 1024, 1025, 3000]
N = 8192


def rng():
    return np.random.default_rng(0)


SHAPES = {
    "constant": lambda n: np.full(n, -3),
    "narrow": lambda n: rng().integers(-50, 50, n),
    "wide": lambda n: rng().integers(-(2**63), 2**63 - 1, n),
    "rising": lambda n: np.cumsum(rng().integers(1, 16, n)),
    "falling": lambda n: 2**62 - 7 * np.arange(n),
    "jumping": lambda n: np.cumsum(np.where(rng().random(n) < 0.003, 10**9, rng().integers(0, 3, n))),
    "outliers": lambda n: np.where(rng().random(n) < 0.01, rng().integers(0, 2**60, n), rng().integers(0, 100, n)),
    "missing": lambda n: np.where(rng().random(n) < 0.01, -(2**62), rng().integers(0, 100, n)),
    "runs": lambda n: np.repeat(rng().integers(-(2**62), 2**62, n // 50 + 1), 50)[:n],
    "repeated": lambda n: rng().choice(rng().integers(-(2**62), 2**62, 30), n),
    "extremes": lambda n: np.where(np.arange(n) % 3, 2**63 - 1, -(2**63)),
}


def assert_round_trip(values, *, whole_bytes=False):
    encoded = encode_integers(values, whole_bytes=whole_bytes)
    assert check_integers(encoded) is None
    decoded = decode_integers(encoded)
    assert decoded.dtype == values.dtype
    np.testing.assert_array_equal(decoded, values)
    return encoded


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_column_comes_back(dtype, length, shape):
    assert_round_trip(SHAPES[shape](length).astype(dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [1, 2500])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_column_comes_back_from_whole_bytes(dtype, length, shape):
    encoded = assert_round_trip(SHAPES[shape](length).astype(dtype), whole_bytes=True)
    assert set(encoded.widths.tolist()).isdisjoint([*range(1, 8), *range(9, 16)])


def test_wide_codes_are_packed_as_tightly_as_ever():
    values = rng().integers(0, 1 << 20, N)
    assert encode_integers(values, whole_bytes=True).packed.tobytes() == encode_integers(values).packed.tobytes()


@pytest.mark.parametrize("start", [0, 1, 77, -77])
def test_values_have_the_same_whole_bytes_in_vectors_of_different_ranges(start):
    narrow, wide = rng().integers(-20, 20, 1024), rng().integers(-99, 99, 1024)
    encoded = encode_integers(np.concatenate([narrow, wide]) + start, whole_bytes=True)
    assert encoded.widths.tolist() == [8, 8]
    first, second = encoded.packed[:2048].reshape(2, 1024).astype(int)
    gap = int(second[0] - wide[0]) - int(first[0] - narrow[0])
    assert gap % 32 == 0
    np.testing.assert_array_equal(first - first[0], narrow - narrow[0])
    np.testing.assert_array_equal(second - second[0], wide - wide[0])


def test_exceptions_that_a_wider_code_holds_are_none_any_more():
    values = np.where(rng().random(1024) < 0.01, 200, rng().integers(0, 4, 1024))
    values[5] = 2**40
    assert encode_integers(values).exception_counts[0] > 5
    encoded = assert_round_trip(values, whole_bytes=True)
    assert (encoded.widths[0], encoded.exception_counts[0]) == (8, 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("whole_bytes", [False, True])
@given(data=st.data())
def test_any_mixture_of_vectors_comes_back(dtype, whole_bytes, data):
    info = np.iinfo(dtype)
    values = st.integers(info.min, info.max) | st.sampled_from([info.min, info.max, 0])
    heads = data.draw(st.lists(npst.arrays(dtype, st.integers(0, 40), elements=values), max_size=3))
    tails = data.draw(
        st.lists(st.tuples(st.integers(0, 1100), st.sampled_from([0, 1, 5, -2, 2**40]), values), max_size=3)
    )
    parts = [first + step * np.arange(n, dtype=object) for n, step, first in tails]
    wrapped = [np.array([int(v) % 2**info.bits for v in part], np.uint64).astype(dtype) for part in parts]
    assert_round_trip(np.concatenate([np.zeros(0, dtype), *heads, *wrapped]), whole_bytes=whole_bytes)


@pytest.mark.parametrize(
    ("shape", "scheme", "most_bits"),
    [
        ("constant", FRAME, 0.4),
        ("narrow", FRAME, 7.4),
        ("wide", FRAME, 64.4),
        ("rising", DELTA, 4.5),
        ("falling", DELTA, 0.5),
        ("jumping", DELTA, 2.8),
        ("outliers", FRAME, 8.2),
        ("missing", FRAME, 8.2),
        ("runs", RUNS, 2.1),
        ("repeated", DICTIONARY, 5.7),
        ("extremes", DICTIONARY, 1.4),
    ],
)
def test_the_cheapest_scheme_is_taken(shape, scheme, most_bits):
    encoded = assert_round_trip(SHAPES[shape](N))
    assert set(encoded.schemes.tolist()) == {scheme}
    assert encoded.size_bytes * 8 / N < most_bits


@pytest.mark.parametrize("length", [1, 1024, 5000])
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_column_of_one_value_is_that_value_and_a_change_at_its_end_is_seen(dtype, length):
    values = np.full(length, 77, dtype)
    encoded = assert_round_trip(values)
    assert encoded.size_bytes == encoded.n_vectors * (values.itemsize + 4) + 128
    assert assert_round_trip(np.append(values, [76]).astype(dtype)).size_bytes > encoded.size_bytes


def test_vectors_of_one_column_may_differ_in_scheme():
    shapes = ["constant", "narrow", "rising", "runs", "wide"]
    encoded = assert_round_trip(np.concatenate([SHAPES[shape](1024) for shape in shapes]))
    assert encoded.schemes.tolist() == [FRAME, FRAME, DELTA, RUNS, FRAME]


@pytest.mark.parametrize("shape", SHAPES)
def test_costs_are_the_bits_that_are_stored(shape):
    values = SHAPES[shape](N)
    encoded = encode_integers(values)
    costs = IntegerCosts.empty(N // 1024, np.dtype(np.uint64))
    measure(values.view(np.uint64), 0, np.uint64(2**63), costs, FAST)
    cheapest = costs.bits[:, :DICTIONARY].min(axis=1)
    stored = encoded.widths.astype(int) * 1024 + encoded.exception_counts * 80
    assert (stored <= cheapest * 1.1).all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("length", [1024, 2500])
def test_single_vectors_are_decoded_into_given_memory(shape, length):
    values = SHAPES[shape](length)
    encoded = encode_integers(values)
    for number in range(encoded.n_vectors):
        want = values[number * 1024 : (number + 1) * 1024]
        memory = np.full(want.size + 2, -9)
        decode_vector(encoded.table, number, memory[1:-1])
        np.testing.assert_array_equal(memory, [-9, *want, -9])


def test_columns_are_decoded_into_given_memory_of_any_alignment():
    values = SHAPES["rising"](2500)
    memory = np.full(2600, -9)
    out = memory[3:2503]
    assert decode_integers(encode_integers(values), out) is out
    np.testing.assert_array_equal(memory, [-9] * 3 + values.tolist() + [-9] * 97)


def test_values_may_be_a_read_only_slice():
    values = SHAPES["wide"](5000)
    values.flags.writeable = False
    assert_round_trip(values[17:4000])


@pytest.mark.parametrize("values", [np.zeros(5), np.zeros(5, ">i4"), np.zeros((2, 2), int), np.zeros(9, int)[::2], [1]])
def test_other_values_are_rejected(values):
    with pytest.raises(ValueError, match="values"):
        encode_integers(values)


@pytest.mark.parametrize("out", [np.zeros(4, int), np.zeros(5, np.int32), np.zeros(10, int)[::2]])
def test_memory_that_does_not_fit_is_rejected(out):
    encoded = encode_integers(np.zeros(5, int))
    with pytest.raises(ValueError, match="out"):
        decode_integers(encoded, out)
    with pytest.raises(ValueError, match="out"):
        decode_vector(encoded.table, 0, out)


@pytest.mark.parametrize("number", [-1, 2])
def test_only_existing_vectors_are_decoded(number):
    with pytest.raises(ValueError, match="number"):
        decode_vector(encode_integers(np.zeros(2000, int)).table, number, np.zeros(1024, int))


def test_jumps_of_deltas_that_save_little_are_left_out_where_speed_counts():
    # the time between events: five gaps of a vector need a bit more than the others
    values = np.cumsum(rng().exponential(1e5, N).astype(int))
    fast, small = encode_integers(values), encode_integers(values, weights=SMALL)
    assert set(fast.schemes.tolist()) == set(small.schemes.tolist()) == {DELTA}
    assert fast.exceptions.size < small.exceptions.size / 3
    assert small.size_bytes < fast.size_bytes < small.size_bytes * 1.05
    np.testing.assert_array_equal(decode_integers(small), values)


def test_jumps_of_deltas_that_save_much_are_taken_in_any_case():
    fast = encode_integers(SHAPES["jumping"](N))
    assert fast.exceptions.size > fast.n_vectors


def test_a_column_without_weights_is_never_longer():
    for shape in SHAPES.values():
        values = shape(N)
        fast, small = encode_integers(values), encode_integers(values, weights=SMALL)
        assert small.size_bytes <= fast.size_bytes
        np.testing.assert_array_equal(decode_integers(small), values)
