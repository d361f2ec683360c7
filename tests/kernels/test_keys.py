from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.keys import (
    find_sorted,
    fingerprint_ints,
    fingerprint_strings,
    first_duplicate,
    sort_fingerprints,
)
from tests import oracle

SEEDS = st.integers(0, 2**64 - 1)
# few values, so that words and whole fingerprints repeat
PAIRS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=30)


def pack(keys, offset_type=np.int64):
    offsets = np.cumsum([0, *map(len, keys)]).astype(offset_type)
    return offsets, np.frombuffer(b"".join(keys), np.uint8)


def fingerprints(pairs):
    return np.array(pairs, np.uint64).reshape(-1, 2)


@given(keys=st.lists(st.binary(max_size=100), max_size=10), seed=SEEDS)
def test_string_fingerprints_are_two_xxh64_digests(keys, seed):
    offsets, data = pack(keys)
    got = fingerprint_strings(offsets, data, seed)
    assert got.dtype == np.uint64
    assert [tuple(row) for row in got.tolist()] == oracle.string_fingerprints(keys, seed)


@pytest.mark.parametrize("offset_type", [np.int32, np.int64])
def test_strings_of_every_length_are_hashed_right(offset_type):
    keys = [bytes(range(256))[:length] for length in range(132)]
    offsets, data = pack(keys, offset_type)
    got = fingerprint_strings(offsets, data, 42)
    assert [tuple(row) for row in got.tolist()] == oracle.string_fingerprints(keys, 42)


def test_a_slice_of_a_string_column_has_the_fingerprints_of_its_keys():
    keys = [b"alpha", b"", b"gamma", b"delta"]
    offsets, data = pack(keys, np.int32)
    got = fingerprint_strings(offsets[1:4], data, 7)
    assert [tuple(row) for row in got.tolist()] == oracle.string_fingerprints(keys[1:3], 7)


@pytest.mark.parametrize("offsets", [[0, 4], [-1, 2], [2, 1], [0, 2, 1, 3], []])
def test_offsets_that_decrease_or_leave_the_data_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets"):
        fingerprint_strings(np.array(offsets, np.int64), np.zeros(3, np.uint8), 0)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match="seed"):
        fingerprint_strings(np.zeros(1, np.int64), np.zeros(0, np.uint8), seed)


def test_integer_fingerprints_are_the_bits_of_the_value():
    signed = np.array([0, 1, -1, -(2**63), 2**63 - 1], np.int64)
    assert fingerprint_ints(signed).tolist() == [[int(value) % 2**64, 0] for value in signed]
    unsigned = np.array([0, 2**64 - 1], np.uint64)
    assert fingerprint_ints(unsigned).tolist() == [[0, 0], [2**64 - 1, 0]]


@pytest.mark.parametrize("values", [np.zeros(2, np.int32), np.zeros((1, 2), np.int64), np.zeros(4, np.int64)[::2]])
def test_other_integer_arrays_are_refused(values):
    with pytest.raises(ValueError, match="values"):
        fingerprint_ints(values)


@given(pairs=PAIRS)
def test_sorting_orders_by_the_first_word_then_by_the_second(pairs):
    order = sort_fingerprints(fingerprints(pairs))
    assert order.dtype == np.uint32
    assert sorted(order.tolist()) == list(range(len(pairs)))
    assert [pairs[row] for row in order] == sorted(pairs)


@given(pairs=st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=36), wanted=PAIRS)
def test_sorted_look_up_finds_each_row_or_minus_one(pairs, wanted):
    stored = list(pairs)
    order = sort_fingerprints(fingerprints(stored))
    ascending = fingerprints(stored)[order]
    ascending.flags.writeable = False
    rows = {pair: row for row, pair in enumerate(stored)}
    got = find_sorted(ascending, order, fingerprints(wanted))
    assert got.dtype == np.int64
    assert got.tolist() == [rows.get(pair, -1) for pair in wanted]


@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1023, 1024, 1025])
def test_sorted_look_up_works_at_every_size(n):
    stored = fingerprint_ints(np.random.default_rng(n).permutation(n).astype(np.int64) * 2 - n)
    order = sort_fingerprints(stored)
    ascending = stored[order]
    assert find_sorted(ascending, order, stored).tolist() == list(range(n))
    assert (find_sorted(ascending, order, fingerprint_ints(np.arange(n) * 2 + 1 - n)) == -1).all()


def test_look_up_refuses_lists_of_different_length():
    with pytest.raises(ValueError, match="order"):
        find_sorted(np.zeros((2, 2), np.uint64), np.zeros(1, np.uint32), np.zeros((1, 2), np.uint64))


@given(pairs=PAIRS)
def test_the_first_repeated_fingerprint_is_found(pairs):
    assert first_duplicate(fingerprints(pairs)) == oracle.first_duplicate(pairs)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 1023, 1024, 1025])
def test_a_repeat_at_the_end_is_found_at_every_size(n):
    values = np.arange(n, dtype=np.int64)
    assert first_duplicate(fingerprint_ints(values)) == -1
    assert first_duplicate(fingerprint_ints(np.append(values, 0))) == n


def test_fingerprints_of_another_shape_are_refused():
    for function in (sort_fingerprints, first_duplicate):
        with pytest.raises(ValueError, match="fingerprints"):
            function(np.zeros((2, 3), np.uint64))
        with pytest.raises(ValueError, match="fingerprints"):
            function(np.zeros((4, 2), np.uint64)[::2])
