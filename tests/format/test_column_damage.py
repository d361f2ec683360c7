"""Stored bytes of columns that passed their checksum and still are wrong: an error of damage, or as many rows."""

import struct

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.codecs.compressed import encode_compressed
from drift_arrow.format.codecs.dictionary import encode_by_dictionary
from drift_arrow.format.codecs.frames import FrameSettings
from drift_arrow.format.codecs.nested import encode_nested, shape_of
from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.codecs.part import Encoded, frame
from drift_arrow.format.codecs.planes import encode_planes
from drift_arrow.format.codecs.strings import encode_strings
from drift_arrow.format.column_block import check_codec
from drift_arrow.format.layout import MAX_BLOCK_BYTES, MAX_PART_DEPTH, PART_HEADER_BYTES, CodecId
from drift_arrow.format.plain import to_plain
from tests.format.columns import Stored, array_of, numbers, store, stored_as
from tests.format.samples import arrays, flipped, outcome

RANDOM = np.random.default_rng(3)
N = 1100
IS_NULL = np.arange(N) % 5 == 0
TEXT = pa.array([f"{i * 7919 % 300} words" for i in range(N)], mask=IS_NULL)


def nested(array):
    return stored_as(encode_leaf(array), array)


def encode_leaf(array):
    shape = shape_of(array.type)
    if shape is not None:
        return encode_nested(array, shape, encode_leaf)
    if pa.types.is_string(array.type):
        return encode_strings(array, FrameSettings(1024, 3), encode_numbers)
    return encode_numbers(array)


def coded(array):
    encoded = array.dictionary_encode()
    codes = encoded.indices.fill_null(0).to_numpy().astype(np.uint32)
    return stored_as(encode_by_dictionary(array, codes, encoded.dictionary, encode_leaf), array)


def packed(array):
    return stored_as(encode_numbers(array), array)


FLOATS = pa.array(np.round(RANDOM.normal(size=N), 1), mask=IS_NULL)

COLUMNS = {
    **{
        str(kind): packed(array_of(kind, numbers(kind, N), IS_NULL))
        for kind in (pa.int64(), pa.uint8(), pa.date32(), pa.float16(), pa.float32(), pa.float64())
    },
    "all schemes": packed(array_of(pa.int32(), numbers(pa.int32(), 4000))),
    "exceptions": packed(pa.array(np.where(np.arange(1500) % 97 == 0, 1 << 50, np.arange(1500) % 7))),
    "float exceptions": packed(pa.array(np.where(np.arange(1500) % 97 == 0, np.pi, np.arange(1500) / 4))),
    "strings": stored_as(encode_leaf(TEXT), TEXT),
    "fixed-size binaries": store(pa.array([b"%04d" % (i % 50) for i in range(N)], pa.binary(4))),
    "codes of strings": coded(TEXT),
    "codes of floats": coded(FLOATS),
    "Arrow dictionary": store(TEXT.dictionary_encode()),
    "bools": nested(pa.array(np.arange(N) % 3 == 0, mask=IS_NULL)),
    "wide decimals": nested(arrays()["decimal128"]),
    "structs": nested(pa.StructArray.from_arrays([TEXT, FLOATS], names=["a", "b"], mask=pa.array(IS_NULL))),
    "lists": nested(pa.array([list(range(i % 4)) if i % 5 else None for i in range(400)])),
    "maps": nested(arrays()["map"]),
    "fixed-size lists": nested(arrays()["fixed_size_list"]),
    "compressed": stored_as(encode_compressed(encode_numbers(FLOATS, whole_bytes=True)), FLOATS),
    "planes": stored_as(encode_planes(FLOATS), FLOATS),
    "stream": store(arrays()["sparse union"]),
}
"""Small columns of every codec and shape."""


def read_and_take(column: Stored):
    block = column.open()
    rows = block.read()
    # what was read must be safe to look at
    rows.validate()
    return rows, block.take(np.array([0, column.n_values - 1, 3, 3]))


def check(column: Stored) -> None:
    """What a reader may do with any stored bytes."""
    found, error = outcome(read_and_take, column)
    if error is not None:
        assert not isinstance(error, CorruptionError) or (error.path, error.offset) == ("p", 64)
        return
    rows, some = found
    assert (rows.type, len(rows), len(some)) == (column.kind, column.n_values, 4)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_flipped_byte_is_damage_or_gives_as_many_rows(name):
    column = COLUMNS[name]
    check(column)
    for position in range(len(column.stored)):
        check(column.with_stored(flipped(column.stored, position)))


@pytest.mark.parametrize("name", COLUMNS)
def test_a_byte_of_ones_is_damage_or_gives_as_many_rows(name):
    column = COLUMNS[name]
    for position in range(0, len(column.stored), 3):
        check(column.with_stored(flipped(column.stored, position, 0xFF)))


@pytest.mark.parametrize("name", COLUMNS)
def test_random_bytes_are_damage_or_give_as_many_rows(name):
    column, random = COLUMNS[name], np.random.default_rng(5)
    for _ in range(150):
        changed = bytearray(column.stored)
        start = int(random.integers(0, len(changed)))
        size = int(random.integers(1, 200))
        changed[start : start + size] = random.bytes(len(changed[start : start + size]))
        check(column.with_stored(bytes(changed)))


@pytest.mark.parametrize("name", COLUMNS)
def test_truncated_and_longer_stored_bytes_are_damage(name):
    column = COLUMNS[name]
    longer = [] if name == "stream" else [column.stored + bytes(8)]
    for stored in [column.stored[:length] for length in range(0, len(column.stored), 29)] + longer:
        with pytest.raises(CorruptionError):
            read_and_take(column.with_stored(stored))


@pytest.mark.parametrize("name", COLUMNS)
def test_another_size_or_number_of_rows_is_damage(name):
    column = COLUMNS[name]
    for raw_len in (0, column.raw_len - 1, column.raw_len + 1, 1 << 31):
        with pytest.raises(CorruptionError):
            read_and_take(Stored(column.kind, column.n_values, column.codec, raw_len, column.stored))
    for n_values in (0, column.n_values - 1, column.n_values + 1, 1 << 31):
        with pytest.raises(CorruptionError):
            read_and_take(Stored(column.kind, n_values, column.codec, column.raw_len, column.stored))


@pytest.mark.parametrize("name", COLUMNS)
def test_another_type_or_codec_is_damage_or_gives_as_many_rows(name):
    column = COLUMNS[name]
    for array in (*arrays().values(), TEXT):
        check(Stored(to_plain(array).type, column.n_values, column.codec, column.raw_len, column.stored))
    for codec in CodecId:
        check(Stored(column.kind, column.n_values, codec, column.raw_len, column.stored))


def test_an_unknown_codec_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade drift_arrow; path='p' codec=9"):
        check_codec(9, path="p")
    column = nested(pa.array([True] * 9))
    inside = bytearray(column.stored)
    inside[8] = 200
    with pytest.raises(UnsupportedFormatError, match="upgrade drift_arrow"):
        column.with_stored(bytes(inside)).open()


def test_bytes_that_must_be_zero_are_checked():
    column = packed(array_of(pa.uint8(), numbers(pa.uint8(), N), IS_NULL))
    # 1100 rows have 138 bytes of bitmap with 4 bits, then 6 bytes, to spare
    assert struct.unpack_from("<B3sI", column.stored) == (1, bytes(3), 138)
    last = 8 + 137
    for position, mask in [(1, 1), (last, 0x80), (last + 1, 1), (last + 6, 1), (-1, 1), (-128, 1)]:
        place = position % len(column.stored)
        with pytest.raises(CorruptionError, match=r"not zero|past its last row|impossible header"):
            column.with_stored(flipped(column.stored, place, mask)).open()


def part_of(array, encoded, **replaced):
    """The framed part of an array, its header as told."""
    fields = {"codec": encoded.codec, "n_values": len(array), "raw_len": encoded.raw_len, "size": len(encoded.stored)}
    fields |= replaced
    header = struct.pack("<B3sIII", fields["codec"], b"", fields["n_values"], fields["raw_len"], fields["size"])
    return header + frame(encoded, len(array))[PART_HEADER_BYTES:]


@pytest.mark.parametrize(
    "replaced",
    [{"codec": CodecId.FLOATS}, {"n_values": 8}, {"raw_len": 10}, {"raw_len": 1 << 31}, {"size": 1 << 31}, {"size": 0}],
    ids=str,
)
def test_headers_of_parts_are_checked(replaced):
    bits = pa.array(np.ones(9, np.uint8))
    stored = bytes(8) + part_of(bits, encode_numbers(bits), **replaced)
    with pytest.raises(CorruptionError):
        Stored(pa.bool_(), 9, CodecId.NESTED, 9, stored).read()


def lists_of_nothing(n_values, lengths, kind):
    """Lists whose values take no bytes, which a file can hold any number of."""
    counts = pa.array(lengths, pa.uint32())
    inside = Encoded(CodecId.NESTED, bytes(8), min(n_values, MAX_BLOCK_BYTES))
    values = struct.pack("<B3sIII", inside.codec, b"", n_values, inside.raw_len, 8) + bytes(8)
    stored = bytes(8) + frame(encode_numbers(counts), len(counts)) + values
    return Stored(pa.list_(kind), len(lengths), CodecId.NESTED, counts.nbytes + inside.raw_len, stored)


@pytest.mark.parametrize("kind", [pa.null(), pa.struct([])], ids=str)
def test_values_of_no_bytes_are_limited_too(kind):
    assert lists_of_nothing(5, [2, 3], kind).open().take(np.array([1]))[0].as_py() == [None] * 3 or kind != pa.null()
    with pytest.raises(CorruptionError, match="impossible part"):
        lists_of_nothing(4_000_000_000, [4_000_000_000], kind).open()
    with pytest.raises(CorruptionError, match="other lengths"):
        lists_of_nothing(5, [4_000_000_000], kind).open().take(np.array([0]))


def test_parts_that_nest_too_deep_are_damage():
    kind, array = pa.uint8(), pa.array([1], pa.uint8())
    encoded = encode_numbers(array)
    for _ in range(MAX_PART_DEPTH + 1):
        kind = pa.struct([("inside", kind)])
        encoded = Encoded(CodecId.NESTED, bytes(8) + frame(encoded, 1), 1)
    with pytest.raises(CorruptionError, match="nests too deep"):
        Stored(kind, 1, CodecId.NESTED, 1, bytes(encoded.stored)).open()


def test_a_code_without_a_value_is_damage():
    codes, values = pa.array([0, 3, 1], pa.uint32()), pa.array(["a", "b"])
    for kind in (pa.string(), pa.dictionary(pa.int32(), pa.string())):
        column = dictionary_of(codes, encode_leaf(values), 2, kind)
        with pytest.raises(CorruptionError, match="code without a value"):
            column.open().take(np.array([1]))
        with pytest.raises(CorruptionError, match="code without a value"):
            column.read()


def dictionary_of(codes, values, n_values, kind):
    parts = frame(encode_numbers(codes), len(codes)) + frame(values, n_values)
    is_dictionary = pa.types.is_dictionary(kind)
    raw_len = codes.nbytes + values.raw_len if is_dictionary else 4 * len(codes) + 3
    return Stored(kind, len(codes), CodecId.DICTIONARY, raw_len, bytes(8) + parts)


def test_codes_that_stand_for_more_bytes_than_declared_are_damage():
    large = pa.array(["x" * 1_000_000])
    column = dictionary_of(pa.array(np.zeros(3, np.uint32)), encode_leaf(large), 1, pa.string())
    with pytest.raises(CorruptionError, match="another size"):
        column.read()


def test_dictionaries_of_dictionaries_are_damage():
    inner = coded(pa.array(["a", "b"]))
    part = Encoded(CodecId(inner.codec), inner.stored, inner.raw_len)
    with pytest.raises(CorruptionError, match="dictionary where there cannot be one"):
        dictionary_of(pa.array([0, 1, 1], pa.uint32()), part, 2, pa.string()).open()


def test_a_compressor_around_anything_but_numbers_is_damage():
    inside = encode_compressed(encode_leaf(TEXT))
    with pytest.raises(CorruptionError, match="what is compressed"):
        stored_as(inside, TEXT).open()
    numbers_inside = encode_numbers(FLOATS)
    bomb = encode_compressed(numbers_inside._replace(stored=bytes(1 << 24)))
    with pytest.raises(CorruptionError, match="what is compressed"):
        stored_as(bomb, FLOATS).open()
