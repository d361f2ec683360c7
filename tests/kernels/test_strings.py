"""Strings of a dictionary against a Python join."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.strings import gather_strings


def gathered(words, codes):
    data = np.frombuffer(b"".join(words), np.uint8)
    return gather_strings(data, np.cumsum([0, *map(len, words)], dtype=np.int64), np.array(codes, np.uint32))


@given(words=st.lists(st.binary(max_size=70), min_size=1, max_size=9), data=st.data())
def test_strings_come_in_the_order_of_their_codes(words, data):
    codes = data.draw(st.lists(st.integers(0, len(words) - 1), max_size=40))
    offsets, content = gathered(words, codes)
    picked = [words[code] for code in codes]
    assert content.tobytes() == b"".join(picked)
    assert offsets.tolist() == np.cumsum([0, *map(len, picked)]).tolist()


@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 32, 33, 4096])
def test_strings_of_every_length_are_copied_whole(length):
    words = [bytes([65 + i]) * length for i in range(3)]
    _, content = gathered(words, [2, 0, 2, 1])
    assert content.tobytes() == words[2] + words[0] + words[2] + words[1]


def test_a_dictionary_without_strings_has_no_codes():
    offsets, content = gathered([], [])
    assert (offsets.tolist(), content.size) == ([0], 0)


@pytest.mark.parametrize(
    ("offsets", "codes"),
    [
        ([0, 2, 4], [2]),
        ([0, 2, 4], [2**32 - 1]),
        ([0, 3, 2, 4], [0]),
        ([1, 4], [0]),
        ([0, 5], [0]),
        ([0, -1, 4], [0]),
        ([], []),
    ],
)
def test_codes_without_a_string_and_offsets_out_of_order_are_refused(offsets, codes):
    data = np.zeros(4, np.uint8)
    with pytest.raises(ValueError, match=r"offsets|code"):
        gather_strings(data, np.array(offsets, np.int64), np.array(codes, np.uint32))
