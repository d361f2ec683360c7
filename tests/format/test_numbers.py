"""Columns of numbers through their codecs: every type, nulls, slices, lengths around a vector, and damage."""

import struct
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codec import CODECS, FLOATS, INTEGERS, NUMBER_CODECS, PLAIN, ZSTD, choose, choose_for_rows
from drift_arrow.format.column import encode_column
from drift_arrow.format.layout import NUMBERS_HEADER_BYTES, BlockType, CodecId
from drift_arrow.format.numbers import join_numbers, number_codec, number_dtype, split_numbers
from drift_arrow.format.segment_reader import SegmentReader
from tests.format.samples import arrays, flipped, outcome, segment_bytes, segment_content

INTEGER_TYPES = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp("s"), pa.timestamp("ns", "Europe/Paris"), pa.duration("ms")),
]
FLOAT_TYPES = [pa.float16(), pa.float32(), pa.float64()]
TYPES = INTEGER_TYPES + FLOAT_TYPES
LENGTHS = [0, 1, 1023, 1024, 1025, 4096]


def dtype_of(kind: pa.DataType) -> np.dtype[Any]:
    dtype = number_dtype(kind)
    assert dtype is not None
    return dtype


def numbers_of(kind, n, seed=1):
    """Values that every scheme of encoding has something to do with: steps, runs, few distinct ones, and noise."""
    random = np.random.default_rng(seed)
    dtype = dtype_of(kind)
    if dtype.kind == "f":
        decimals = np.round(random.normal(size=n) * 100) / 4
        return np.where(np.arange(n) < 2000, decimals, random.normal(size=n)).astype(dtype)
    shapes = [np.arange(n), np.arange(n) // 300, random.choice([3, 90, 101], size=n), random.integers(0, 120, size=n)]
    return np.choose(np.arange(n) // 1024 % 4, shapes).astype(dtype)


def array_of(kind, values, is_null=None):
    """As `pa.array`, but of any bits: buffers are taken as they are."""
    bitmap = None if is_null is None else pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.Array.from_buffers(kind, len(values), [bitmap, pa.py_buffer(values)])


def encoded(array: pa.Array) -> tuple[Any, bytes, int]:
    """Codec, stored bytes and raw length, whatever they save."""
    numbers = split_numbers(array)
    codec = NUMBER_CODECS[number_codec(numbers.values.dtype)]
    return codec, codec.encode_numbers(*numbers), numbers.raw_len


def decoded(codec, stored, raw_len, kind, n):
    raw = codec.decode(memoryview(stored), raw_len, path="p", offset=64)
    return join_numbers(raw, codec.codec_id, kind, n, path="p", offset=64)


def round_trip(array):
    return decoded(*encoded(array), array.type, len(array))


def assert_same_bits(found, wanted):
    """Type, nulls, and every bit of what is not null."""
    found.validate(full=wanted.type not in {pa.date64(), pa.time32("s"), pa.time32("ms")})
    is_valid = wanted.is_valid().to_numpy(zero_copy_only=False)
    assert found.type == wanted.type
    assert found.is_valid().to_numpy(zero_copy_only=False).tolist() == is_valid.tolist()
    left, right = (split_numbers(array).values[is_valid].tobytes() for array in (found, wanted))
    assert left == right


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_type_comes_back_without_nulls(kind, n):
    array = array_of(kind, numbers_of(kind, n))
    assert_same_bits(round_trip(array), array)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_type_comes_back_with_nulls(kind, n):
    is_null = np.random.default_rng(2).random(n) < 0.3
    array = array_of(kind, numbers_of(kind, n), is_null)
    assert_same_bits(round_trip(array), array)


@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_type_comes_back_if_all_is_null(kind, n):
    assert_same_bits(round_trip(pa.nulls(n, kind)), pa.nulls(n, kind))


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_slices_come_back(kind):
    n = 3000
    is_null = np.random.default_rng(2).random(n) < 0.3
    for array in (array_of(kind, numbers_of(kind, n)), array_of(kind, numbers_of(kind, n), is_null)):
        for start, length in [(0, 1025), (1, 1024), (7, 0), (13, 2500), (2999, 1)]:
            assert_same_bits(round_trip(array.slice(start, length)), array.slice(start, length))


@pytest.mark.parametrize("kind", INTEGER_TYPES, ids=str)
def test_extreme_integers_come_back(kind):
    info = np.iinfo(dtype_of(kind))
    ends = np.array([info.min, info.max, info.min, info.max - 1, 0], info.dtype)
    for values in (np.tile(ends, 300), np.full(1500, info.min), np.full(1500, info.max)):
        array = array_of(kind, values.astype(info.dtype))
        assert split_numbers(round_trip(array)).values.tobytes() == array.buffers()[1].to_pybytes()


@pytest.mark.parametrize("kind", FLOAT_TYPES, ids=str)
def test_every_bit_of_unusual_floats_comes_back(kind):
    dtype = dtype_of(kind)
    info, bits = np.finfo(dtype), np.dtype(f"u{dtype.itemsize}")
    usual = np.array([0.0, -0.0, np.inf, -np.inf, info.max, info.min, info.tiny, info.smallest_subnormal], dtype)
    nans = np.array([np.nan], dtype).view(bits) + np.arange(1, 9).astype(bits)
    signs = nans | bits.type(1 << (8 * dtype.itemsize - 1))
    values = np.tile(np.concatenate([usual, nans.view(dtype), signs.view(dtype)]), 100)
    assert_same_bits(round_trip(array_of(kind, values)), array_of(kind, values))


@given(
    st.sampled_from(TYPES),
    st.binary(max_size=600),
    st.integers(1, 40),
    st.none() | st.integers(0, 2**32),
)
def test_any_bits_come_back(kind, data, repeats, nulls):
    dtype = dtype_of(kind)
    values = np.tile(np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype), repeats)
    is_null = None if nulls is None else np.random.default_rng(nulls).random(len(values)) < 0.5
    found, wanted = round_trip(array_of(kind, values, is_null)), array_of(kind, values, is_null)
    is_valid = wanted.is_valid().to_numpy(zero_copy_only=False)
    assert found.is_valid().to_numpy(zero_copy_only=False).tolist() == is_valid.tolist()
    assert split_numbers(found).values[is_valid].tobytes() == values[is_valid].tobytes()


@pytest.mark.parametrize("name", sorted(arrays()))
def test_columns_of_one_number_per_row_are_numbers_and_no_others(name):
    kind = arrays()[name].type
    expected = kind in TYPES or pa.types.is_timestamp(kind) or pa.types.is_duration(kind)
    assert (number_dtype(kind) is not None) == expected


def test_nulls_cost_no_more_than_their_bitmap():
    random = np.random.default_rng(3)
    is_null = np.arange(4096) % 3 == 0
    steady = np.arange(4096) // 64
    noisy = np.where(is_null, random.integers(0, 2**60, size=4096), steady)
    _, without, _ = encoded(pa.array(steady))
    _, with_nulls, _ = encoded(pa.array(noisy, mask=is_null))
    assert len(with_nulls) <= len(without) + 512 + 64


def test_nulls_at_the_start_take_the_first_value():
    values, validity = split_numbers(pa.array([None, None, 7, None, 9, None]))
    assert values.tolist() == [7, 7, 7, 7, 9, 9]
    assert validity.tolist() == [0b010100]


@pytest.mark.parametrize("kind", [pa.int32(), pa.float64()], ids=str)
def test_values_and_bitmap_start_where_wide_instructions_want_them(kind):
    array = array_of(kind, numbers_of(kind, 1001), np.arange(1001) % 7 == 0)
    bitmap, values = round_trip(array).buffers()
    assert (bitmap.address % 64, values.address % 64) == (0, 0)
    assert (bitmap.size, values.size) == (126, 1001 * dtype_of(kind).itemsize)


def test_values_are_not_copied_on_their_way_to_arrow():
    codec, stored, raw_len = encoded(pa.array(np.arange(4096)))
    raw = codec.decode(memoryview(stored), raw_len, path="p", offset=0)
    array = join_numbers(raw, codec.codec_id, pa.int64(), 4096, path="p", offset=0)
    assert array.buffers()[1].address == np.frombuffer(raw, np.uint8).ctypes.data


@pytest.mark.parametrize("kind", [pa.int64(), pa.float32()], ids=str)
def test_stored_bytes_may_lie_anywhere(kind):
    array = array_of(kind, numbers_of(kind, 2000))
    codec, stored, raw_len = encoded(array)
    assert_same_bits(decoded(codec, memoryview(b"x" + stored)[1:], raw_len, kind, 2000), array)


def test_equal_rows_have_equal_stored_bytes():
    rows = pa.array([1.25, None, 3.5] * 500)
    assert encoded(rows) == encoded(pa.concat_arrays([rows.slice(0, 700), rows.slice(700)]))


DAMAGED = {
    str(kind) + (" with nulls" if nulls else ""): array_of(
        kind, numbers_of(kind, 1100), np.arange(1100) % 5 == 0 if nulls else None
    )
    for kind in (pa.int64(), pa.uint8(), pa.date32(), pa.float16(), pa.float32(), pa.float64())
    for nulls in (False, True)
}
# vectors of every scheme, with exceptions and dictionaries
DAMAGED["all schemes"] = array_of(pa.int32(), numbers_of(pa.int32(), 4000))
DAMAGED["exceptions"] = pa.array(np.where(np.arange(1500) % 97 == 0, 1 << 50, np.arange(1500) % 7))
DAMAGED["float exceptions"] = pa.array(np.where(np.arange(1500) % 97 == 0, np.pi, np.arange(1500) / 4))


@pytest.mark.parametrize("name", DAMAGED)
def test_a_flipped_byte_past_the_checksum_is_damage_or_as_many_rows(name):
    array = DAMAGED[name]
    codec, stored, raw_len = encoded(array)
    for position in range(len(stored)):
        for mask in (None, 0xFF):
            changed = flipped(stored, position, mask)
            found, error = outcome(decoded, codec, changed, raw_len, array.type, len(array))
            if error is not None:
                assert (error.path, error.offset) == ("p", 64)
                continue
            assert found.type == array.type
            assert len(split_numbers(found).values) == len(array)


@pytest.mark.parametrize("name", DAMAGED)
def test_random_bytes_in_place_of_the_arrays_are_damage_or_as_many_rows(name):
    array = DAMAGED[name]
    codec, stored, raw_len = encoded(array)
    random = np.random.default_rng(5)
    for _ in range(300):
        changed = bytearray(stored)
        start = int(random.integers(4, len(stored)))
        size = int(random.integers(1, 300))
        changed[start : start + size] = random.bytes(len(changed[start : start + size]))
        found, error = outcome(decoded, codec, changed, raw_len, array.type, len(array))
        assert error is not None or len(found) == len(array)


@pytest.mark.parametrize("name", ["int64 with nulls", "double with nulls", "all schemes"])
def test_truncated_and_longer_stored_bytes_are_damage(name):
    array = DAMAGED[name]
    codec, stored, raw_len = encoded(array)
    for changed in [stored[:length] for length in range(0, len(stored), 13)] + [stored + bytes(8)]:
        with pytest.raises(CorruptionError, match="block of numbers"):
            decoded(codec, changed, raw_len, array.type, len(array))


@pytest.mark.parametrize(
    ("position", "replacement"),
    [(0, 3), (0, 16), (1, 2), (2, 1), (16, 1), (20, 1), (23, 0xFF), (7, 0xFF), (11, 0xFF), (15, 0xFF)],
)
def test_headers_that_ask_for_other_sizes_are_damage(position, replacement):
    codec, stored, raw_len = encoded(DAMAGED["int64"])
    changed = bytearray(stored)
    changed[position] = replacement
    with pytest.raises(CorruptionError):
        decoded(codec, changed, raw_len, pa.int64(), 1100)


@pytest.mark.parametrize("wrong", [0, 8799, 8801, 1 << 40])
def test_another_raw_length_is_damage_and_allocates_nothing(wrong):
    codec, stored, _ = encoded(DAMAGED["int64"])
    with pytest.raises(CorruptionError, match="another size"):
        codec.decode(memoryview(stored), wrong, path="p", offset=0)


def test_bytes_that_must_be_zero_are_checked():
    codec, stored, raw_len = encoded(DAMAGED["uint8 with nulls"])
    # 1100 rows have 138 bytes of bitmap with 4 bits, then 6 bytes, to spare
    last = NUMBERS_HEADER_BYTES + 137
    for position, mask in [(last, 0x80), (last + 1, 1), (last + 6, 1), (len(stored) - 1, 1), (len(stored) - 128, 1)]:
        with pytest.raises(CorruptionError, match=r"not zero|past its last row"):
            decoded(codec, flipped(stored, position, mask), raw_len, pa.uint8(), 1100)


@pytest.mark.parametrize(
    ("kind", "n_values"),
    [(pa.int32(), 1100), (pa.float64(), 1100), (pa.int64(), 1099), (pa.string(), 1100), (pa.bool_(), 1100)],
    ids=str,
)
def test_another_type_or_number_of_rows_is_damage(kind, n_values):
    with pytest.raises(CorruptionError, match="other rows than it declares") as caught:
        decoded(*encoded(DAMAGED["int64"]), kind, n_values)
    assert (caught.value.path, caught.value.offset) == ("p", 64)


def choice(array):
    return choose_for_rows(array, encode_column(array))


def test_numbers_are_chosen_for_integers_and_decimals():
    random = np.random.default_rng(6)
    assert choice(pa.array(random.integers(0, 1000, size=4096))).codec is INTEGERS
    assert choice(pa.array(np.round(random.random(4096), 3))).codec is FLOATS


def test_noise_stays_plain():
    random = np.random.default_rng(7)
    assert choice(pa.array(random.integers(-(2**62), 2**62, size=4096))).codec is PLAIN
    assert choice(pa.array(random.integers(0, 2**62, size=4096).view(np.float64))).codec is PLAIN


def test_zstd_is_chosen_where_it_is_a_twentieth_smaller():
    repeated = pa.array(np.tile(np.random.default_rng(8).integers(0, 2**62, size=400), 10))
    assert choice(repeated).codec is ZSTD
    assert len(choice(repeated).stored) * 1.05 < len(encoded(repeated)[1])


def test_the_choice_is_at_most_a_twentieth_larger_than_that_of_bytes():
    for kind in TYPES:
        array = array_of(kind, numbers_of(kind, 4096))
        assert len(choice(array).stored) <= 1.05 * len(choose(encode_column(array)).stored)


def test_numbers_that_fit_into_one_page_are_left_as_they_are():
    array = pa.array(np.arange(400))
    assert byte_view(choice(array).stored) == byte_view(choose(encode_column(array)).stored)
    assert choice(pa.array(np.arange(600))).codec is INTEGERS


def test_other_types_are_chosen_as_bytes():
    for array in arrays().values():
        if number_dtype(array.type) is None:
            assert choice(array).codec in {PLAIN, ZSTD}
    assert choice(pa.array(["word"] * 4096)).codec is ZSTD


N_ROWS = 5000
COLUMNS = {
    str(kind): array_of(kind, numbers_of(kind, N_ROWS), np.arange(N_ROWS) % 11 == 0)
    for kind in (pa.int32(), pa.uint16(), pa.float64(), pa.timestamp("us", "UTC"))
}
CONTENT = segment_content(n_rows=N_ROWS, columns=COLUMNS)
DATA, SUMMARY = segment_bytes(CONTENT)


def first_blocks(data=DATA):
    """Codec, start and stop of the stored bytes of the first block of every column of numbers."""
    file = SegmentReader(data, "p")._file
    found = {}
    for number in range(len(file.index)):
        entry = file.index.entries[number]
        name = file.meta.schema.names[entry["column"]] if entry["type"] == BlockType.COLUMN else None
        if name is not None and name not in found:
            found[name] = int(entry["codec"]), file.start(number), file.start(number) + int(entry["stored_len"])
    return found


def test_a_segment_holds_keys_and_payload_as_numbers():
    assert {name: CODECS[codec].codec_id for name, (codec, _, _) in first_blocks().items()} == {
        "id": CodecId.INTEGERS,
        "int32": CodecId.INTEGERS,
        "uint16": CodecId.INTEGERS,
        "double": CodecId.FLOATS,
        "timestamp[us, tz=UTC]": CodecId.INTEGERS,
    }


def test_a_segment_gives_back_its_numbers():
    reader = SegmentReader(DATA, "p", SUMMARY.size_bytes, SUMMARY.digest)
    reader.verify()
    names = CONTENT.table.column_names
    assert reader.read_columns(names).equals(CONTENT.table)
    rows = np.array([4999, 0, 4096, 4095, 11, 11, 1023, 1024])
    assert reader.take(rows, names).equals(
        CONTENT.table.take(pa.array(rows)).replace_schema_metadata({"owner": "tests"})
    )


@pytest.mark.parametrize("name", ["int32", "double"])
def test_every_flipped_byte_of_a_block_in_a_file_is_found_where_it_is(name):
    _, start, stop = first_blocks()[name]
    data = bytearray(DATA)
    reader = SegmentReader(data, "p")
    for position in range(start, stop):
        data[position] ^= 1 << (position * 5 % 8)
        # a fresh reader per byte would verify all other blocks again
        reader._file._verified[:] = False
        with pytest.raises(CorruptionError) as caught:
            reader.read_columns([name])
        assert (caught.value.path, caught.value.offset) == ("p", start)
        data[position] = DATA[position]


def test_a_block_of_numbers_under_a_column_of_another_type_is_damage(monkeypatch):
    stored = encoded(pa.array(np.arange(N_ROWS)))
    monkeypatch.setattr(
        "drift_arrow.format.segment_writer.choose_for_rows",
        lambda rows, stream: choose(stream)._replace(codec=INTEGERS, stored=stored[1], raw_len=stored[2]),
    )
    data, _ = segment_bytes(segment_content(columns={"text": pa.array(["a"] * 40)}))
    with pytest.raises(CorruptionError, match="other rows than it declares"):
        SegmentReader(data, "p").read_columns(["text"])


def test_the_header_has_the_size_of_its_table():
    codec, stored, _ = encoded(pa.array(np.arange(5, dtype=np.int16)))
    assert codec is INTEGERS
    assert struct.unpack_from("<BBHI", stored) == (2, 0, 0, 5)
    assert len(encoded(pa.nulls(0, pa.int16()))[1]) == NUMBERS_HEADER_BYTES + 128
