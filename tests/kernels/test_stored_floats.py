from __future__ import annotations

import numpy as np
import pytest

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.floats import decode_floats, decode_vector, encode_floats
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.stored_floats import StoredFloats
from tests.kernels import float_oracle as oracle

ORDER = ["bases", "exceptions", "headers", "dictionaries", "positions", "lefts", "packed"]


def mixed(dtype):
    random = np.random.default_rng(0)
    decimals = np.where(random.random(3000) < 0.02, np.nan, np.round(random.normal(50, 20, 3000), 2))
    noise = random.standard_normal(6000) * np.where(random.random(6000) < 0.02, 1e-3, 1)
    return np.concatenate([decimals, noise]).astype(dtype)


def stored(encoded: EncodedFloats, *, drop=None):
    """The arrays one behind the other, of one of them an item less."""
    memory, places = np.zeros(encoded.size_bytes + 1000, np.uint8), []
    start = -address_of(memory) % 8
    for name in ORDER:
        array = getattr(encoded, name)
        size = array.size - (name == drop)
        memory[start : start + array.nbytes] = array.reshape(-1).view(np.uint8)
        places += [address_of(memory) + start, size]
        start += -(-array.nbytes // 8) * 8
    raw = readonly("raw", memory, np.uint8, None)
    return StoredFloats.load(encoded.dtype, encoded.n, raw, np.array(places))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floats_in_stored_bytes_are_those_that_were_stored(dtype):
    values = mixed(dtype)
    encoded = encode_floats(values)
    found = stored(encoded)
    oracle.assert_same_bits(decode_floats(found), values)
    vector = np.empty(1024, dtype)
    decode_vector(found, 2, vector)
    oracle.assert_same_bits(vector, values[2048:3072])
    for name in ORDER:
        array = getattr(found, name)
        assert not array.flags.writeable
        assert array.dtype == getattr(encoded, name).dtype
        np.testing.assert_array_equal(array, getattr(encoded, name))
        assert getattr(found, name) is array
    assert found.scheme_counts == encoded.scheme_counts
    assert found.size_bytes == encoded.size_bytes
    oracle.assert_same_bits(decode_floats(found.detached()), values)


def test_no_values_are_stored_too():
    assert decode_floats(stored(encode_floats(np.empty(0)))).size == 0


def test_stored_floats_have_no_other_arrays():
    assert not hasattr(stored(encode_floats(np.zeros(1))), "sizes")


@pytest.mark.parametrize("name", ["exceptions", "positions", "lefts", "packed"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_arrays_that_end_too_early_are_refused(name, dtype):
    with pytest.raises(ValueError, match=r"damaged|do not"):
        stored(encode_floats(mixed(dtype)), drop=name)


def test_damaged_headers_are_refused():
    encoded = encode_floats(mixed(np.float64))
    encoded.headers.flags.writeable = True
    encoded.headers[3] |= 127 << 2
    with pytest.raises(ValueError, match="vector=3"):
        stored(encoded)
