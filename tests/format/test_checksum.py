import numpy as np
import pyarrow as pa
import pytest
import xxhash

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.checksum import check_xxh3_64, check_xxh3_128, xxh3_64, xxh3_128

BUFFERS = {
    "bytes": b"abcdefgh",
    "bytearray": bytearray(b"abcdefgh"),
    "memoryview": memoryview(b"abcdefgh").cast("Q"),
    "numpy": np.frombuffer(b"abcdefgh", dtype=np.uint16).reshape(2, 2),
    "arrow": pa.py_buffer(b"abcdefgh"),
}


@pytest.mark.parametrize("buffer", BUFFERS.values(), ids=BUFFERS)
def test_every_kind_of_buffer_has_the_digest_of_its_bytes(buffer):
    assert xxh3_64(buffer) == xxhash.xxh3_64_intdigest(b"abcdefgh")
    assert xxh3_128(buffer) == xxhash.xxh3_128_hexdigest(b"abcdefgh")


@pytest.mark.parametrize("empty", [b"", np.empty((0, 3), np.float32), pa.py_buffer(b""), memoryview(b"")])
def test_an_empty_buffer_has_the_digest_of_no_bytes(empty):
    assert xxh3_64(empty) == xxhash.xxh3_64_intdigest(b"")
    assert len(byte_view(empty)) == 0


def test_parts_have_the_digest_of_the_whole():
    assert xxh3_64(b"ab", b"", b"cdef", b"gh") == xxh3_64(b"abcdefgh")
    assert xxh3_128(b"ab", b"cdefgh") == xxh3_128(b"abcdefgh")


def test_a_view_of_a_read_only_array_does_not_copy():
    array = np.arange(100)
    array.flags.writeable = False
    assert np.shares_memory(np.frombuffer(byte_view(array), dtype=np.uint8), array)


def test_a_wrong_64_bit_digest_names_region_path_and_offset():
    with pytest.raises(CorruptionError, match="checksum of block does not match") as caught:
        check_xxh3_64(1, 2, what="block", path="segments/x", offset=4096)
    assert (caught.value.path, caught.value.offset) == ("segments/x", 4096)


def test_a_wrong_128_bit_digest_names_region_path_and_offset():
    with pytest.raises(CorruptionError, match="digest of file does not match") as caught:
        check_xxh3_128(b"abc", "0" * 32, what="file", path="segments/x", offset=5)
    assert (caught.value.path, caught.value.offset) == ("segments/x", 5)


def test_the_right_digests_pass():
    check_xxh3_64(xxh3_64(b"abc"), xxh3_64(b"abc"), what="", path="", offset=0)
    check_xxh3_128(b"abc", xxh3_128(b"abc"), what="", path="", offset=0)
