from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.keys import KeyTable, fingerprint_ints

BATCHES = st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=20), max_size=6)


def fingerprints(pairs):
    return np.array(pairs, np.uint64).reshape(-1, 2)


@given(batches=BATCHES, capacity=st.integers(0, 5))
def test_a_table_agrees_with_a_dict_of_the_newest_rows(batches, capacity):
    table, row = KeyTable(capacity), 0
    model: dict[tuple[int, int], int] = {}
    for batch in batches:
        table.insert(fingerprints(batch), row)
        model |= {pair: row + i for i, pair in enumerate(batch)}
        row += len(batch)
    wanted = [(first, second) for first in range(11) for second in range(4)]
    assert table.find(fingerprints(wanted)).tolist() == [model.get(pair, -1) for pair in wanted]
    assert len(table) == len(model)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 1023, 1024, 1025])
def test_a_table_holds_more_keys_than_its_first_capacity(n):
    keys = fingerprint_ints(np.arange(n, dtype=np.int64))
    table = KeyTable(1)
    table.insert(keys, 0)
    assert table.find(keys).tolist() == list(range(n))
    assert (table.find(fingerprint_ints(np.arange(n, 2 * n))) == -1).all()


@pytest.mark.parametrize("shift", range(0, 49, 8))
def test_keys_in_steps_of_a_power_of_two_stay_cheap(shift):
    keys = fingerprint_ints(np.arange(4096, dtype=np.int64) << shift)
    table = KeyTable(4096)
    table.insert(keys, 0)
    slots = np.flatnonzero(table._rows != 0xFFFFFFFF)
    longest_run = np.max(np.diff(np.flatnonzero(np.diff(slots, prepend=-2, append=slots[-1] + 2) != 1)))
    assert longest_run < 64


def test_an_empty_table_finds_nothing():
    assert KeyTable(0).find(fingerprints([(0, 0), (1, 1)])).tolist() == [-1, -1]


@pytest.mark.parametrize("first_row", [-1, 2**32 - 2])
def test_rows_that_need_more_than_32_bits_are_refused(first_row):
    with pytest.raises(ValueError, match="rows"):
        KeyTable(1).insert(fingerprints([(0, 0), (1, 1)]), first_row)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="capacity"):
        KeyTable(-1)
    with pytest.raises(ValueError, match="fingerprints"):
        KeyTable(1).find(np.zeros((1, 2), np.int64))
    with pytest.raises(ValueError, match="fingerprints"):
        KeyTable(1).insert(np.zeros((4, 2), np.uint64)[::2], 0)
