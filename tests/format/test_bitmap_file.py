import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError, InvalidArgumentError, UnsupportedFormatError
from drift_arrow.format.bitmap_file import decode_bitmap, encode_bitmap
from drift_arrow.format.layout import HEADER_BYTES, MAX_SEGMENT_ROWS, PAGE_BYTES
from tests.format.samples import UUID_1, UUID_2, flipped

N_ROWS = 77
BITS = np.packbits(np.arange(N_ROWS) % 3 == 0, bitorder="little")
DATA = encode_bitmap(BITS, N_ROWS, UUID_1)


def test_bits_come_back_as_a_view():
    bits = decode_bitmap(DATA, "p", N_ROWS)
    assert np.array_equal(bits, BITS)
    assert np.shares_memory(bits, np.frombuffer(DATA, dtype=np.uint8))


@given(st.lists(st.booleans(), min_size=1, max_size=300))
def test_any_bits_come_back(mask):
    bits = np.packbits(mask, bitorder="little")
    assert np.array_equal(decode_bitmap(encode_bitmap(bits, len(mask), UUID_1), "p", len(mask)), bits)


def test_the_largest_bitmap_fits_into_one_block():
    bits = np.full(MAX_SEGMENT_ROWS // 8, 0xFF, dtype=np.uint8)
    assert np.array_equal(decode_bitmap(encode_bitmap(bits, MAX_SEGMENT_ROWS, UUID_1), "p", MAX_SEGMENT_ROWS), bits)


def test_every_flipped_byte_is_damage():
    for position in range(len(DATA)):
        with pytest.raises(CorruptionError) as caught:
            decode_bitmap(flipped(DATA, position), "tombstones/x", N_ROWS)
        assert caught.value.path == "tombstones/x"
        assert caught.value.offset <= position < caught.value.offset + HEADER_BYTES


def test_every_truncation_is_damage():
    for length in range(len(DATA)):
        with pytest.raises(CorruptionError):
            decode_bitmap(DATA[:length], "p", N_ROWS)


def test_bytes_after_the_end_are_damage():
    with pytest.raises(CorruptionError, match="bytes follow"):
        decode_bitmap(DATA + bytes(PAGE_BYTES), "p", N_ROWS)


def test_a_bitmap_of_another_number_of_rows_is_damage():
    with pytest.raises(CorruptionError, match="not the bitmap of this segment"):
        decode_bitmap(DATA, "p", N_ROWS + 1)


def test_a_bitmap_of_another_segment_is_damage():
    assert decode_bitmap(DATA, "p", N_ROWS, UUID_1) is not None
    with pytest.raises(CorruptionError, match="not the bitmap of this segment"):
        decode_bitmap(DATA, "p", N_ROWS, UUID_2)


def test_bits_past_the_last_row_are_damage(monkeypatch):
    monkeypatch.setattr("drift_arrow.format.bitmap_file._fits", lambda *_: True)
    data = encode_bitmap(np.full(10, 0xFF, dtype=np.uint8), N_ROWS, UUID_1)
    monkeypatch.undo()
    with pytest.raises(CorruptionError, match="past the last row"):
        decode_bitmap(data, "p", N_ROWS)


def test_a_newer_file_asks_for_an_upgrade(monkeypatch):
    monkeypatch.setattr("drift_arrow.format.file_header.FORMAT_VERSION", 2)
    data = encode_bitmap(BITS, N_ROWS, UUID_1)
    monkeypatch.undo()
    with pytest.raises(UnsupportedFormatError):
        decode_bitmap(data, "p", N_ROWS)


@pytest.mark.parametrize(
    ("bits", "n_rows"),
    [
        (np.zeros(9, np.uint8), N_ROWS),
        (np.zeros(10, np.int8), N_ROWS),
        (np.full(10, 0xFF, np.uint8), N_ROWS),
        (np.zeros(0, np.uint8), 0),
    ],
    ids=["too short", "another type", "excess bits", "no rows"],
)
def test_other_bits_are_refused(bits, n_rows):
    with pytest.raises(InvalidArgumentError, match="one bit per row"):
        encode_bitmap(bits, n_rows, UUID_1)
