from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import (
    BlockHeader,
    check_padding,
    check_plain,
    check_stored,
    decode_block_header,
    encode_block,
    plain,
)
from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.codec import choose, codec_of
from drift_arrow.format.layout import HEADER_BYTES, MAX_BLOCK_BYTES, NO_COLUMN, PAGE_BYTES, BlockType, CodecId
from tests.format.samples import UUID_1, UUID_2, flipped

RAW = b"some words " * 30


def encoded(choice=plain(RAW), **fields):  # noqa: B008  never changed
    header, buffers = encode_block(UUID_1, BlockType.COLUMN, choice, **({"n_values": 30} | fields))
    return header, b"".join(map(bytes, buffers))


def read(data, offset=0):
    """Every check in the order of the readers."""
    view = memoryview(data)[offset:]
    header = decode_block_header(view, UUID_1, path="p", offset=offset)
    stored = check_stored(view, header, path="p", offset=offset)
    used = HEADER_BYTES + header.stored_len
    check_padding(view[used:], header.size_bytes - used, path="p", offset=offset + used)
    raw = codec_of(header.codec, path="p").decode(stored, header.raw_len, path="p", offset=offset + HEADER_BYTES)
    return header, bytes(raw)


def header_bytes(**fields):
    values = {
        "type": 1, "codec": 0, "column": 0, "first_row": 0, "n_values": 1, "raw_len": 8, "stored_len": 8, "checksum": 0,
    }  # fmt: skip
    return BlockHeader(**(values | fields)).encode(UUID_1)


@pytest.mark.parametrize("choice", [plain(RAW), choose(RAW)], ids=["plain", "zstd"])
def test_a_block_comes_back_from_any_page(choice):
    header, data = encoded(choice, first_row=5, column=3)
    assert read(bytes(PAGE_BYTES) + data, PAGE_BYTES) == (header, RAW)
    assert (header.type, header.first_row, header.n_values, header.column) == (BlockType.COLUMN, 5, 30, 3)


@given(st.binary(max_size=9000))
def test_any_bytes_come_back(raw):
    header, data = encoded(choose(raw))
    assert read(data) == (header, raw)
    assert len(data) == header.size_bytes


@pytest.mark.parametrize("length", [0, 1, PAGE_BYTES - HEADER_BYTES, PAGE_BYTES - HEADER_BYTES + 1, 3 * PAGE_BYTES])
def test_a_block_ends_with_its_page(length):
    header, data = encoded(plain(bytes(length)))
    assert len(data) % PAGE_BYTES == 0
    assert len(data) == header.size_bytes < length + HEADER_BYTES + PAGE_BYTES
    assert read(data)[1] == bytes(length)


def test_raw_bytes_start_64_byte_aligned_in_their_page():
    _, data = encoded()
    assert data[HEADER_BYTES : HEADER_BYTES + len(RAW)] == RAW


def test_every_flipped_byte_is_damage_at_the_region_that_holds_it():
    header, data = encoded()
    stop = HEADER_BYTES + header.stored_len
    for position in range(len(data)):
        expected = 0 if position < HEADER_BYTES else HEADER_BYTES if position < stop else position
        with pytest.raises(CorruptionError) as caught:
            read(flipped(data, position))
        assert (caught.value.path, caught.value.offset) == ("p", expected)


def test_every_truncation_is_damage():
    _, data = encoded()
    for length in range(len(data)):
        with pytest.raises(CorruptionError):
            read(data[:length])


def test_a_block_of_another_file_is_damage():
    _, buffers = encode_block(UUID_2, BlockType.COLUMN, plain(RAW), n_values=30)
    with pytest.raises(CorruptionError, match="block header"):
        read(b"".join(map(bytes, buffers)))


@pytest.mark.parametrize(
    "fields",
    [
        {"raw_len": MAX_BLOCK_BYTES + 1},
        {"raw_len": 2**32 - 1, "stored_len": 8},
        {"stored_len": MAX_BLOCK_BYTES + 1},
        {"raw_len": 4096, "stored_len": 4096},
    ],
    ids=["raw past the limit", "raw of gigabytes", "stored past the limit", "stored past the end of the file"],
)
def test_lengths_are_bounded_before_they_are_used(fields):
    with pytest.raises(CorruptionError, match="impossible"):
        read(header_bytes(**fields) + bytes(PAGE_BYTES - HEADER_BYTES))


@pytest.mark.parametrize("position", [0, 3, 28, 31, 40, 55])
def test_a_right_checksum_does_not_excuse_wrong_magic_or_reserved_bytes(position):
    unsealed = flipped(header_bytes()[:-8], position)
    data = unsealed + xxh3_64(UUID(UUID_1).bytes, unsealed).to_bytes(8, "little") + bytes(PAGE_BYTES)
    with pytest.raises(CorruptionError, match="impossible"):
        read(data)


@pytest.mark.parametrize("fields", [{"codec": 1}, {"codec": 9}, {"stored_len": 7}])
def test_a_block_that_is_used_in_place_must_be_plain(fields):
    header = decode_block_header(memoryview(header_bytes(**fields) + bytes(PAGE_BYTES)), UUID_1, path="p", offset=0)
    with pytest.raises(CorruptionError, match="not plain"):
        check_plain(header, path="p", offset=0)


def test_a_plain_block_is_not_copied():
    raw = np.arange(100, dtype=np.uint8)
    _, buffers = encode_block(UUID_1, BlockType.CODES, plain(raw), n_values=100)
    assert np.shares_memory(np.frombuffer(buffers[1], dtype=np.uint8), raw)


def test_a_block_belongs_to_no_column_unless_told():
    header, _ = encode_block(UUID_1, BlockType.NORMS, plain(b""), n_values=0)
    assert (header.column, header.codec) == (NO_COLUMN, CodecId.PLAIN)


def test_padding_names_its_first_wrong_byte():
    data = bytearray(200)
    data[150] = data[170] = 1
    check_padding(memoryview(data)[64:], 150 - 64, path="p", offset=1064)
    with pytest.raises(CorruptionError, match="not zero") as caught:
        check_padding(memoryview(data)[64:], 200 - 64, path="p", offset=1064)
    assert caught.value.offset == 1150
    with pytest.raises(CorruptionError, match="cut off") as caught:
        check_padding(memoryview(data)[180:], 30, path="p", offset=180)
    assert caught.value.offset == 200
