from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.lanes import TAIL_BYTES
from drift_arrow.kernels.stored_arrays import FITS, MISALIGNED, NOT_ZERO, WRONG_SIZE, place_arrays

ITEM_BYTES, SIZES = (4, 2, 1, 1), (3, 0, 5, TAIL_BYTES + 8)
START = 16
WANT = START + 16 + 8 + TAIL_BYTES + 8
CONTENT = [(START, 12), (START + 16, 5), (START + 24, 8)]
"""First byte and bytes of what may hold anything."""


def stored(size=WANT, shift=0):
    memory = aligned(size + 64, np.dtype(np.uint8))[shift : shift + size]
    memory[:] = 0
    for start, n_bytes in CONTENT:
        memory[start : start + n_bytes] = 7
    memory[:START] = 9
    return memory


def place(memory, item_bytes=ITEM_BYTES, sizes=SIZES):
    numbers = np.zeros(2 * len(sizes), np.int64)
    view = memory.view()
    view.flags.writeable = False
    return place_arrays(view, START, item_bytes, sizes, numbers), numbers


def test_arrays_begin_at_multiples_of_eight_bytes():
    memory = stored()
    (problem, size), numbers = place(memory)
    assert (problem, size) == (FITS, WANT)
    starts = numbers[::2] - memory.__array_interface__["data"][0]
    assert starts.tolist() == [START, START + 16, START + 16, START + 24]
    assert numbers[1::2].tolist() == list(SIZES)


@pytest.mark.parametrize("change", [-8, -1, 1, 8])
def test_other_sizes_are_told(change):
    (problem, size), _ = place(stored(WANT + change))
    assert (problem, size) == (WRONG_SIZE, WANT)


def test_sizes_of_any_file_do_not_overflow():
    largest = 2**32 - 1
    (problem, size), _ = place(stored(), (8,) * 4, (largest,) * 4)
    assert (problem, size) == (WRONG_SIZE, START + 4 * 8 * largest)


@pytest.mark.parametrize("shift", range(1, 8))
def test_numbers_do_not_stand_at_other_addresses(shift):
    (problem, _), _ = place(stored(shift=shift))
    assert problem == MISALIGNED


def test_every_byte_between_the_arrays_and_of_the_tail_must_be_zero():
    content = {byte for start, n_bytes in CONTENT for byte in range(start, start + n_bytes)} | set(range(START))
    for byte in range(WANT):
        memory = stored()
        memory[byte] ^= 1
        (problem, _), _ = place(memory)
        assert problem == (FITS if byte in content else NOT_ZERO)
