import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError
from drift_arrow.format.layout import CodecId
from drift_arrow.format.vector_block import encode_vectors, open_vectors

DTYPES = [np.float16, np.float32, np.float64]


def decimals(n_rows=500, dim=7, dtype=np.float32):
    """Numbers that compress."""
    return np.random.default_rng(1).integers(0, 100, (n_rows, dim)).astype(dtype)


def noise(n_rows=500, dim=7, dtype=np.float32):
    """Bits that do not."""
    item = np.dtype(dtype).itemsize
    return np.frombuffer(np.random.default_rng(2).bytes(n_rows * dim * item), dtype).reshape(n_rows, dim)


def opened(matrix, profile="hot"):
    encoded = encode_vectors(matrix, profile)
    kind = pa.list_(pa.from_numpy_dtype(matrix.dtype), matrix.shape[1])
    stored = memoryview(bytes(encoded.stored))
    return encoded, open_vectors(stored, encoded.codec, kind, len(matrix), path="p", offset=5)


def bits(matrix):
    return matrix.view(f"u{matrix.itemsize}")


@pytest.mark.parametrize("profile", ["hot", "cold"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("make", [decimals, noise])
def test_every_bit_comes_back(make, dtype, profile):
    matrix = make(dtype=dtype)
    encoded, block = opened(matrix, profile)
    assert encoded.raw_len == matrix.nbytes
    assert np.array_equal(bits(block.read()), bits(matrix))
    out = np.empty_like(matrix)
    block.read_into(out)
    assert np.array_equal(bits(out), bits(matrix))


@pytest.mark.parametrize("profile", ["hot", "cold"])
@pytest.mark.parametrize("make", [decimals, noise])
@given(rows=st.lists(st.integers(0, 499), max_size=40))
def test_any_rows_come_back_in_their_order(make, profile, rows):
    matrix = make()
    block = BLOCKS[make, profile]
    out = np.empty((len(rows), 7), np.float32)
    block.gather(np.array(rows, dtype=np.int64), out)
    assert np.array_equal(bits(out), bits(matrix[rows]))


BLOCKS = {(make, profile): opened(make(), profile)[1] for make in (decimals, noise) for profile in ("hot", "cold")}
for each in BLOCKS.values():
    # hypothesis watches the time, and code may be compiled at its first use
    each.gather(np.zeros(1, np.int64), np.empty((1, 7), np.float32))


def test_numbers_that_compress_are_floats_and_others_are_plain():
    assert opened(decimals())[0].codec == CodecId.FLOATS
    encoded, block = opened(noise())
    assert encoded.codec == CodecId.PLAIN
    assert len(encoded.stored) == encoded.raw_len
    assert block.describe().name == "PLAIN"


def test_plain_vectors_are_not_copied():
    stored = bytes(noise().tobytes())
    block = open_vectors(memoryview(stored), CodecId.PLAIN, pa.list_(pa.float32(), 7), 500, path="p", offset=0)
    assert np.shares_memory(block.read(), np.frombuffer(stored, np.uint8))


def test_compressed_vectors_are_described_as_floats():
    encoding = opened(decimals())[1].describe()
    assert (encoding.name, encoding.n_values) == ("FLOATS", 3500)


@pytest.mark.parametrize("codec", [CodecId.PLAIN, CodecId.FLOATS])
def test_bytes_that_hold_other_vectors_are_damage(codec):
    encoded, _ = opened(decimals())
    for stored in (b"", bytes(encoded.stored)[:-8], bytes(encoded.stored) + bytes(8)):
        with pytest.raises(CorruptionError) as caught:
            open_vectors(memoryview(stored), codec, pa.list_(pa.float32(), 7), 500, path="p", offset=5)
        assert (caught.value.path, caught.value.offset) == ("p", 5)


def test_vectors_of_another_type_are_damage():
    encoded, _ = opened(decimals())
    for kind in (pa.list_(pa.float64(), 7), pa.list_(pa.float32(), 8), pa.list_(pa.float16(), 7)):
        with pytest.raises(CorruptionError):
            open_vectors(memoryview(encoded.stored), CodecId.FLOATS, kind, 500, path="p", offset=5)
