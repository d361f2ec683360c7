from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import mmap
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.encoded_floats import EncodedFloats, check_floats
from drift_arrow.kernels.floats import decode_floats, decode_vector, encode_floats
from tests.kernels import float_oracle as oracle

ARRAYS = ["headers", "bases", "dictionaries", "packed", "positions", "exceptions", "lefts"]


def mixed(dtype):
    """Vectors of every scheme that the type has, with exceptions."""
    rng = np.random.default_rng(0)
    decimals = np.round(rng.normal(50, 20, 3072), 2).astype(dtype)
    decimals[::1000] = np.nan
    noise = rng.standard_normal(8192).astype(dtype)
    noise[::100] *= dtype(1000)
    noise[1::100] *= dtype(0.001)
    raw = np.frombuffer(rng.bytes(1024 * noise.itemsize), dtype)
    return np.concatenate([np.full(1024, 7, dtype), decimals, noise, raw])


def test_the_values_of_these_tests_take_every_scheme():
    assert set(encode_floats(mixed(np.float64)).scheme_counts) == {"constant", "raw", "alp", "alp_rd"}
    assert all(getattr(encode_floats(mixed(np.float64)), name).size for name in ARRAYS)


def replaced(encoded, name, array):
    fields: dict[str, Any] = {name: array}
    return dataclasses.replace(encoded, **fields)


def changed(encoded, name, index, value):
    array = getattr(encoded, name).copy()
    array[index] = value
    return replaced(encoded, name, array)


def header(scheme, width, exponent=0, factor=0, n_exceptions=0):
    return scheme | width << 2 | exponent << 9 | factor << 15 | n_exceptions << 21


def assert_refused(encoded):
    assert check_floats(encoded) is not None
    with pytest.raises(ValueError, match="encoded floats are damaged"):
        decode_floats(encoded)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    ("word", "base"),
    [
        pytest.param(header(0, 1), 0, id="constant with a width"),
        pytest.param(header(0, 0, 1), 0, id="constant with an exponent"),
        pytest.param(header(0, 0, 0, 0, 1), 0, id="constant with an exception"),
        pytest.param(header(1, 63), 0, id="raw of another width"),
        pytest.param(header(1, 0), 0, id="raw without a width"),
        pytest.param(header(2, 127, 14, 12), 0, id="alp too wide"),
        pytest.param(header(2, 10, 19, 12), 0, id="exponent too large"),
        pytest.param(header(2, 10, 4, 5), 0, id="factor above the exponent"),
        pytest.param(header(2, 10, 14, 12), 1 << 51, id="base too large"),
        pytest.param(header(2, 10, 14, 12), -(1 << 51) - 1, id="base too small"),
        pytest.param(header(2, 10, 14, 12, 1025), 0, id="more exceptions than values"),
        pytest.param(header(2, 10, 14, 12, 2047), 0, id="all bits of the exceptions"),
        pytest.param(header(3, 0, 63, 63), 4, id="left codes too wide"),
        pytest.param(header(3, 0, 15, 0), -1, id="negative width of left codes"),
        pytest.param(header(3, 64, 63, 0), 0, id="right part too wide"),
        pytest.param(header(3, 16, 15, 0), 0, id="right part wider than the cut"),
        pytest.param(header(3, 10, 15, 6), 0, id="zeros and right part wider than the cut"),
        pytest.param(0xFFFFFFFF, -1, id="all bits"),
    ],
)
def test_hostile_headers_are_refused(dtype, word, base):
    encoded = encode_floats(mixed(dtype))
    assert_refused(changed(changed(encoded, "headers", 1, word), "bases", 1, base))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_a_constant_beyond_the_bits_of_a_value_is_refused(dtype):
    assert_refused(changed(encode_floats(np.ones(1024, dtype)), "bases", 0, 1 << np.dtype(dtype).itemsize * 8))


def test_half_floats_have_no_alp():
    assert_refused(changed(encode_floats(np.ones(1024, np.float16)), "headers", 0, header(2, 0)))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("position", [1024, 0xFFFF])
def test_positions_outside_the_vector_are_refused(dtype, position):
    encoded = encode_floats(mixed(dtype))
    for index in (0, encoded.positions.size - 1):
        assert_refused(changed(encoded, "positions", index, position))


@pytest.mark.parametrize("name", ["packed", "positions", "exceptions", "lefts"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_truncation_is_refused(name, dtype):
    encoded = encode_floats(mixed(dtype))
    array = getattr(encoded, name)
    for size in {0, 1, array.size // 2, array.size - 1}:
        assert_refused(replaced(encoded, name, array[:size]))


@pytest.mark.parametrize("name", ["packed", "positions", "exceptions", "lefts"])
def test_what_no_header_asks_for_is_a_fault(name):
    encoded = encode_floats(mixed(np.float64))
    longer = np.concatenate([getattr(encoded, name), getattr(encoded, name)[:1]])
    assert check_floats(replaced(encoded, name, longer)) is not None


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_another_type_or_layout_are_refused(name):
    encoded = encode_floats(mixed(np.float64))
    with pytest.raises(ValueError, match=name):
        replaced(encoded, name, getattr(encoded, name).astype(np.float32))
    with pytest.raises(ValueError, match=name):
        replaced(encoded, name, np.repeat(getattr(encoded, name), 2, axis=-1)[..., ::2])


@pytest.mark.parametrize("n", [-1, 1 << 48])
def test_impossible_numbers_of_values_are_refused(n):
    with pytest.raises(ValueError, match="number of values"):
        dataclasses.replace(encode_floats(np.zeros(1)), n=n)


def test_other_types_of_values_are_refused():
    with pytest.raises(ValueError, match="values must be float16, float32 or float64; got=int32"):
        dataclasses.replace(encode_floats(np.zeros(1)), dtype=np.dtype(np.int32))


def test_the_arrays_are_those_that_were_given():
    encoded = encode_floats(mixed(np.float64))
    fields: dict[str, Any] = {name: getattr(encoded, name).copy() for name in ARRAYS}
    again = EncodedFloats(dtype=encoded.dtype, n=encoded.n, **fields)
    assert all(np.shares_memory(getattr(again, name), fields[name]) for name in ARRAYS)
    oracle.assert_same_bits(decode_floats(again), decode_floats(encoded))


def guarded(array):
    """Copy of an array that ends where a page begins which nobody may touch."""
    pages = -(-max(1, array.nbytes) // mmap.PAGESIZE)
    memory = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    end = pages * mmap.PAGESIZE
    assert ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(address + end), mmap.PAGESIZE, 0) == 0
    copy = np.frombuffer(memory, array.dtype, array.size, end - array.nbytes).reshape(array.shape)
    copy[...] = array
    return copy


def guarded_copy(encoded):
    fields: dict[str, Any] = {name: guarded(getattr(encoded, name)) for name in ARRAYS}
    return dataclasses.replace(encoded, **fields)


@pytest.mark.skipif(sys.platform != "linux", reason="pages are protected by mprotect")
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_decoding_touches_nothing_outside_the_arrays(dtype):
    values = mixed(dtype)
    encoded = guarded_copy(encode_floats(values))
    out = guarded(np.zeros_like(values))
    oracle.assert_same_bits(decode_floats(encoded, out), values)


@pytest.mark.skipif(sys.platform != "linux", reason="pages are protected by mprotect")
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@given(data=st.data())
def test_whatever_the_arrays_say_decoding_stays_inside_them(dtype, data):
    encoded = encode_floats(mixed(dtype))
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(["headers", "headers", "bases", "positions", "dictionaries"]))
        array = getattr(encoded, name).copy()
        flat = array.reshape(-1).view(f"u{array.itemsize}")
        if flat.size:
            index = data.draw(st.integers(0, flat.size - 1))
            flat[index] ^= flat.dtype.type(1 << data.draw(st.integers(0, flat.itemsize * 8 - 1)))
        encoded = replaced(encoded, name, array)
    encoded = guarded_copy(encoded)
    if check_floats(encoded) is None:
        decode_floats(encoded, guarded(np.zeros(encoded.n, dtype)))
    else:
        with pytest.raises(ValueError, match="encoded floats are damaged"):
            decode_floats(encoded, guarded(np.zeros(encoded.n, dtype)))
    vector = guarded(np.zeros(1024, dtype))
    for number in range(len(encoded.headers)):
        with contextlib.suppress(ValueError):
            decode_vector(encoded, number, vector)
