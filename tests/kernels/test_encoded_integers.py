from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.encoded_integers import check_integers
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME, RUNS
from drift_arrow.kernels.integers import decode_integers, decode_table
from tests.kernels.encoded import one_vector, random_codes

CODES = random_codes(3)


def wide(**changes):
    return replace(one_vector("uint64", FRAME, CODES, width=3), **changes)


HOSTILE = {
    "values must be integers": lambda: wide(dtype=np.dtype(np.float64)),
    "native byte order": lambda: wide(dtype=np.dtype(">u8")),
    "length must not be negative": lambda: wide(length=-1),
    "schemes has the wrong length": lambda: wide(length=2**60),
    "widths must be a one-dimensional array of uint8": lambda: wide(widths=np.array([3], np.int64)),
    "bases must be a one-dimensional array of uint64": lambda: wide(bases=np.array([3], np.uint32)),
    "packed must be a one-dimensional array of uint8": lambda: wide(packed=bytes(512)),
    "exception_counts has the wrong length": lambda: wide(exception_counts=np.zeros(2, np.uint16)),
    "exceptions has the wrong length": lambda: wide(exceptions=np.zeros(2, np.uint64)),
    "packed must be contiguous": lambda: wide(packed=np.zeros(1024, np.uint8)[::2]),
    "unknown scheme": lambda: one_vector("uint64", 4),
    "width does not suit": lambda: one_vector("uint32", FRAME, [0] * 1024, width=33),
    "width does not suit the scheme; vector=0": lambda: one_vector("int8", RUNS, CODES, width=3, exceptions=[(0, 1)]),
    "width does not suit t": lambda: one_vector("uint64", DICTIONARY, [0] * 1024, width=17, dictionary=[1]),
    "width does not suit the s": lambda: one_vector("uint64", DICTIONARY, dictionary=[1]),
    "number of exceptions": lambda: one_vector("uint64", RUNS),
    "number of exceptions does": lambda: one_vector("uint64", DELTA, CODES, width=3),
    "number of exceptions does not suit the scheme": lambda: one_vector(
        "uint64", DICTIONARY, CODES, width=3, dictionary=[1], exceptions=[(0, 1)]
    ),
    "number of exceptions does not": lambda: one_vector(
        "uint64", FRAME, exceptions=[(i % 1024, 1) for i in range(1025)]
    ),
    "first exception is not at position 0": lambda: one_vector("uint64", RUNS, exceptions=[(1, 5)]),
    "first exception is": lambda: one_vector("uint64", DELTA, exceptions=[(3, 5)]),
    "out of order or outside": lambda: one_vector("uint64", FRAME, exceptions=[(1024, 5)]),
    "exceptions are out of order": lambda: one_vector("uint64", FRAME, exceptions=[(5, 1), (5, 2)]),
    "the dictionary is empty": lambda: one_vector("uint64", DICTIONARY, CODES, width=3),
    "more exceptions than are stored": lambda: wide(exception_counts=np.ones(1, np.uint16)),
    "count fewer exceptions": lambda: wide(exceptions=np.ones(1, np.uint64), exception_positions=np.ones(1, np.uint16)),
    "packed bytes do not match": lambda: wide(packed=np.zeros(3 * 128, np.uint8)),
    "packed bytes do not match the widths": lambda: wide(packed=np.zeros(5 * 128, np.uint8)),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_contradictions_are_named_and_nothing_is_decoded(message):
    encoded = HOSTILE[message]()
    contradiction = check_integers(encoded)
    assert contradiction is not None
    assert message in contradiction
    with pytest.raises(ValueError, match=message):
        decode_integers(encoded)


def test_consistent_arrays_have_no_contradiction():
    assert check_integers(wide()) is None


def test_size_is_that_of_all_arrays():
    assert wide(dictionary=np.zeros(2, np.uint64)).size_bytes == 1 + 1 + 8 + 2 + 2 * 8 + 4 * 128


@given(st.data())
def test_any_headers_are_rejected_or_decoded_inside_their_memory(data):
    byte, word = st.integers(0, 255), st.integers(0, 2**16 - 1)
    scheme, width, count = data.draw(st.integers(0, 5)), data.draw(st.integers(0, 70)), data.draw(st.integers(0, 5))
    positions = sorted(data.draw(st.lists(word | st.integers(0, 2), min_size=count, max_size=count)))
    encoded = one_vector(
        data.draw(st.sampled_from(["uint8", "int64"])),
        scheme,
        base=data.draw(byte),
        dictionary=[5] * data.draw(st.integers(0, 3)),
        exceptions=[(position, 7) for position in positions],
    )
    packed = np.full((width + 1) * 128, data.draw(byte), np.uint8)
    encoded = replace(encoded, widths=np.array([width], np.uint8), packed=packed)
    if check_integers(encoded) is None:
        memory = np.full(1024 + 256, 3, encoded.dtype)
        decode_integers(encoded, memory[128:-128])
        assert (memory[:128] == 3).all()
        assert (memory[-128:] == 3).all()


def test_a_table_keeps_the_arrays_alive_that_it_points_at():
    table = wide().table
    gc.collect()
    others = [np.full(size, 255, np.uint8) for size in (1, 1, 8, 2, 512)]
    assert decode_table(table).tolist() == CODES
    assert (table.schemes.tolist(), table.widths.tolist(), table.n_exceptions) == ([FRAME], [3], 0)
    del others
