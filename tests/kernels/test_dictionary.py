from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels import dictionary
from drift_arrow.kernels.dictionary import MOST_ENTRIES, build_dictionary
from drift_arrow.kernels.integer_schemes import DICTIONARY
from drift_arrow.kernels.integers import decode_integers
from tests.kernels.encoded import UNSIGNED, one_vector, random_codes


@pytest.mark.parametrize("dtype", UNSIGNED)
@pytest.mark.parametrize("width", [1, 3, 7])
def test_codes_count_from_the_base_of_the_vector(dtype, width):
    entries = np.random.default_rng(0).permutation(256).astype(dtype)
    codes = random_codes(width)
    encoded = one_vector(dtype, DICTIONARY, codes, width=width, base=100, dictionary=entries)
    assert decode_integers(encoded).tolist() == [entries[100 + code] for code in codes]


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
@pytest.mark.parametrize("width", [9, 14])
def test_wide_codes_find_their_entries(dtype, width):
    entries, codes = np.arange(MOST_ENTRIES, dtype=dtype)[::-1], random_codes(width)
    encoded = one_vector(dtype, DICTIONARY, codes, width=width, dictionary=entries)
    assert decode_integers(encoded).tolist() == [entries[code] for code in codes]


@pytest.mark.parametrize("base", [0, 2, 65535])
def test_codes_outside_the_dictionary_read_no_other_memory(base):
    encoded = one_vector("uint32", DICTIONARY, random_codes(8), width=8, base=base, dictionary=[1, 2, 3])
    assert set(decode_integers(encoded).tolist()) <= {1, 2, 3}


def test_entries_rise_in_the_order_of_the_values():
    values = np.tile(np.array([-5, 3, -(2**31), 2**31 - 1, 0], np.int32), 1024)
    found = build_dictionary(values.view(np.uint32), np.uint32(2**31), 32)
    assert found is not None
    assert found.entries.view(np.int32).tolist() == [-(2**31), -5, 0, 3, 2**31 - 1]
    np.testing.assert_array_equal(found.entries[found.codes].view(np.int32), values)


def test_there_is_no_dictionary_of_distinct_values():
    assert build_dictionary(np.arange(4096, dtype=np.uint64), np.uint64(0), 64) is None


def test_there_is_no_dictionary_with_too_many_entries():
    values = np.arange(MOST_ENTRIES + 1024, dtype=np.uint64)
    # the sample sees one value only
    values[:: values.size // 1024] = 0
    assert build_dictionary(values, np.uint64(0), 64) is None


def test_there_is_no_dictionary_whose_codes_are_as_long_as_the_values():
    values = np.random.default_rng(0).integers(0, 16, 4096).astype(np.uint64)
    assert build_dictionary(values, np.uint64(0), 4) is None
    assert build_dictionary(values, np.uint64(0), 4.1) is not None


def test_a_sample_that_tells_of_too_many_values_ends_the_attempt(monkeypatch):
    values = np.random.default_rng(5).integers(0, 8000, 65_536).astype(np.uint64) * np.uint64(2**40)
    monkeypatch.setattr(dictionary, "number_distinct", lambda *_: pytest.fail("all values were numbered"))
    # of 14 bits, 13 of them codes, 1,024 values at most may be stored
    assert build_dictionary(values, np.uint64(0), 14) is None
