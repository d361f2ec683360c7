from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import bitmap
from tests import oracle

MASKS = st.lists(st.booleans(), max_size=100)
SIZES = [0, 1, 7, 8, 9, 1023, 1024, 1025]


@pytest.mark.parametrize("n", SIZES)
def test_a_full_bitmap_has_every_row_and_nothing_past_the_last(n):
    bits = bitmap.full(n)
    assert bits.dtype == np.uint8
    assert len(bits) == (n + 7) // 8
    assert bitmap.count(bits, n) == n
    assert oracle.mask_of(bits, 8 * len(bits)) == [True] * n + [False] * (8 * len(bits) - n)


@given(mask=MASKS, n_new=st.integers(0, 20))
def test_an_extended_bitmap_keeps_its_rows_and_sets_the_new_ones(mask, n_new):
    bits = bitmap.from_mask(np.array(mask, np.bool_))
    longer = bitmap.extended(bits, len(mask), len(mask) + n_new)
    assert oracle.mask_of(longer, 8 * len(longer)) == (mask + [True] * n_new + [False] * 8)[: 8 * len(longer)]
    assert oracle.mask_of(bits, len(mask)) == mask


def test_a_bitmap_does_not_shrink():
    with pytest.raises(ValueError, match="a bitmap grows"):
        bitmap.extended(bitmap.full(9), 9, 8)


@given(mask=MASKS)
def test_masks_survive_packing(mask):
    bits = bitmap.from_mask(np.array(mask, np.bool_))
    assert oracle.mask_of(bits, len(mask)) == mask
    assert bitmap.to_mask(bits, len(mask)).tolist() == mask
    assert bitmap.count(bits, len(mask)) == sum(mask)


@given(mask=st.lists(st.booleans(), min_size=1, max_size=100), data=st.data())
def test_clearing_makes_a_copy_without_the_rows(mask, data):
    rows = data.draw(st.lists(st.integers(0, len(mask) - 1)))
    bits = bitmap.from_mask(np.array(mask, np.bool_))
    bits.flags.writeable = False
    cleared = bitmap.clear(bits, np.array(rows, np.int64))
    assert oracle.mask_of(cleared, len(mask)) == [bit and row not in rows for row, bit in enumerate(mask)]
    assert oracle.mask_of(bits, len(mask)) == mask


@given(mask=st.lists(st.booleans(), min_size=1, max_size=100), data=st.data())
def test_testing_reads_the_bit_of_each_row(mask, data):
    rows = data.draw(st.lists(st.integers(0, len(mask) - 1)))
    found = bitmap.test(bitmap.from_mask(np.array(mask, np.bool_)), np.array(rows, np.int64))
    assert found.dtype == np.bool_
    assert found.tolist() == [mask[row] for row in rows]


@given(pairs=st.lists(st.tuples(st.booleans(), st.booleans()), max_size=100))
def test_an_intersection_holds_the_rows_in_both(pairs):
    a = bitmap.from_mask(np.array([pair[0] for pair in pairs], np.bool_))
    b = bitmap.from_mask(np.array([pair[1] for pair in pairs], np.bool_))
    both = bitmap.intersect(a, b)
    assert both is not None
    assert oracle.mask_of(both, len(pairs)) == [all(pair) for pair in pairs]


def test_none_stands_for_all_rows_in_an_intersection():
    bits = bitmap.full(3)
    assert bitmap.intersect(None, bits) is bits
    assert bitmap.intersect(bits, None) is bits
    assert bitmap.intersect(None, None) is None


@given(mask=MASKS, data=st.data())
def test_the_next_allowed_row_is_the_first_set_bit(mask, data):
    stop = data.draw(st.integers(0, len(mask)))
    start = data.draw(st.integers(0, stop))
    bits = bitmap.from_mask(np.array(mask, np.bool_))
    want = next((row for row in range(start, stop) if mask[row]), stop) if len(bits) else start
    assert bitmap.next_allowed(bits, start, stop) == want


@pytest.mark.parametrize("rows", [[-1], [16], [0, 2**40]])
def test_rows_outside_the_bitmap_are_refused(rows):
    for function in (bitmap.clear, bitmap.test):
        with pytest.raises(ValueError, match="out of range"):
            function(bitmap.full(16), np.array(rows, np.int64))


def test_bitmaps_of_another_size_are_refused():
    for function in (bitmap.to_mask, bitmap.count):
        with pytest.raises(ValueError, match="shape"):
            function(bitmap.full(8), 9)
    with pytest.raises(ValueError, match="shape"):
        bitmap.intersect(bitmap.full(8), bitmap.full(9))


def test_a_strided_bitmap_is_refused():
    with pytest.raises(ValueError, match="contiguous"):
        bitmap.count(np.zeros(4, np.uint8)[::2], 16)
