from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from drift_arrow.kernels.utf8 import are_utf8


def arrays_of(strings):
    data = np.frombuffer(b"".join(strings), np.uint8)
    return data, np.cumsum([0, *map(len, strings)], dtype=np.int64)


def is_utf8(string):
    try:
        string.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


TEXT = st.text(max_size=40).map(str.encode)
ODD = st.lists(
    st.sampled_from(b"a\x7f\x80\x8f\x90\x9f\xa0\xbf\xc0\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5\xff"), max_size=5
)


@given(st.lists(TEXT | ODD.map(bytes) | st.binary(max_size=3) | st.just(b"-" * 300), max_size=8))
@example([b"a" * 255 + "\u00e9".encode()])
@example([b"a" * 255 + b"\xc3", b"\xa9"])
@example(["\U0010ffff".encode() * 90])
@example([b"\xe2\x82"])
def test_strings_are_utf8_if_each_of_them_decodes(strings):
    assert are_utf8(*arrays_of(strings)) == all(map(is_utf8, strings))


def test_every_start_of_a_character_is_judged_like_in_python():
    for lead in range(0x80, 0x100):
        for second in range(0x70, 0xD0):
            for tail in (b"", b"\x80", b"\x80\xbf", b"\xbfa"):
                string = bytes([lead, second]) + tail
                assert are_utf8(*arrays_of([string])) == is_utf8(string), string


@pytest.mark.parametrize("place", [0, 1, 254, 255, 256, 511, 512, 599])
def test_one_wrong_byte_among_ascii_is_found(place):
    content = bytearray(b"x" * 600)
    content[place] = 0xFF
    assert not are_utf8(*arrays_of([bytes(content)]))


def test_a_character_is_not_shared_by_two_strings():
    data = np.frombuffer("\u20ac\u20ac".encode(), np.uint8)
    assert are_utf8(data, np.array([0, 3, 6]))
    assert not are_utf8(data, np.array([0, 2, 6]))
    assert not are_utf8(data, np.array([0, 3, 4, 6]))


@pytest.mark.parametrize("offsets", [[], [1, 3], [0, 2]])
def test_offsets_that_do_not_span_the_data_are_refused(offsets):
    with pytest.raises(ValueError, match="offsets must ascend"):
        are_utf8(np.zeros(3, np.uint8), np.array(offsets, np.int64))
