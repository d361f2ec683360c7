import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError, LimitExceededError
from drift_arrow.format import column
from drift_arrow.format.column import check_value_sizes, decode_column, encode_column, gather_chunks
from drift_arrow.format.plain import from_plain
from tests.format.samples import arrays, outcome, same

ARRAYS = arrays()


def stored(*chunks):
    return encode_column(gather_chunks(pa.chunked_array(chunks)))


def decoded(raw, kind, n_values):
    return decode_column(raw, kind, n_values, path="p", offset=64)


@pytest.mark.parametrize("name", ARRAYS)
def test_every_type_comes_back_from_several_chunks(name):
    array = ARRAYS[name]
    plain = decoded(stored(array, array.slice(2, 3)), array.type, 9)
    assert repr(from_plain(plain, array.type).to_pylist()) == repr(array.to_pylist() + array.slice(2, 3).to_pylist())


# these two keep whole dictionaries
@pytest.mark.parametrize("name", sorted(set(ARRAYS) - {"list of dictionary", "ordered dictionary"}))
def test_the_rows_of_a_slice_do_not_carry_the_others(name):
    array = ARRAYS[name]
    many = pa.concat_arrays([array] * 500)
    assert stored(many.slice(1200, 6)).size < 2 * stored(array).size
    assert stored(many.slice(1200, 3), many.slice(1203, 3)).size < 2 * stored(array).size


@given(st.lists(st.none() | st.text(max_size=5), max_size=50))
def test_any_strings_come_back(values):
    array = pa.array(values, pa.string())
    assert same(decoded(stored(array), array.type, len(values)), array)


def test_an_unordered_dictionary_loses_the_values_that_no_row_uses():
    words = pa.array([f"word {i}" for i in range(10_000)])
    array = pa.DictionaryArray.from_arrays(pa.array([9_000, 7, None, 9_000]), words)
    plain = decoded(stored(array), array.type, 4)
    assert plain.dictionary.to_pylist() == ["word 7", "word 9000"]
    assert plain.to_pylist() == ["word 9000", "word 7", None, "word 9000"]


def test_an_unordered_dictionary_of_nulls_loses_all_values():
    array = pa.DictionaryArray.from_arrays(pa.array([None, None], pa.int32()), pa.array(["x"]))
    plain = decoded(stored(array), array.type, 2)
    assert (len(plain.dictionary), plain.to_pylist()) == (0, [None, None])


def test_an_ordered_dictionary_keeps_all_values_in_their_order():
    array = ARRAYS["ordered dictionary"].slice(0, 1)
    plain = decoded(stored(array), array.type, 1)
    assert plain.dictionary.to_pylist() == ["low", "mid", "high", "unused"]
    assert from_plain(plain, array.type).type.ordered


def test_the_values_point_into_the_raw_bytes():
    raw = stored(pa.array(np.arange(100)))
    values = decoded(raw, pa.int64(), 100).buffers()[1]
    assert raw.address <= values.address < raw.address + raw.size


@pytest.mark.parametrize(("kind", "n_values"), [(pa.int32(), 3), (pa.int64(), 2), (pa.int64(), 4), (pa.string(), 3)])
def test_another_type_or_number_of_rows_is_damage(kind, n_values):
    with pytest.raises(CorruptionError, match="other rows than it declares") as caught:
        decoded(stored(pa.array([1, 2, 3])), kind, n_values)
    assert (caught.value.path, caught.value.offset) == ("p", 64)


@pytest.mark.parametrize("columns", [[], [pa.array([1, 2, 3]), pa.array([1, 2, 3])]], ids=["none", "two"])
def test_another_number_of_columns_is_damage(columns):
    names = ["column", "more"][: len(columns)]
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema([(name, pa.int64()) for name in names])) as stream:
        stream.write_batch(pa.RecordBatch.from_arrays(columns, names=names))
    with pytest.raises(CorruptionError, match="other rows"):
        decoded(sink.getvalue(), pa.int64(), 3 if columns else 0)


@pytest.mark.parametrize("name", ["string", "list", "dictionary", "string_view", "struct"])
def test_a_flipped_byte_past_the_checksum_raises_nothing_but_damage(name):
    raw = bytes(stored(ARRAYS[name]))
    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 0xFF
        array, error = outcome(decoded, changed, ARRAYS[name].type, 6)
        assert error is not None or len(array.to_pylist()) == 6


def test_every_truncation_raises_nothing_but_damage():
    raw = bytes(stored(ARRAYS["string"]))
    for length in range(len(raw)):
        array, error = outcome(decoded, raw[:length], pa.string(), 6)
        # only the end-of-stream mark may be missing
        assert error is not None or same(array, ARRAYS["string"])


@pytest.mark.parametrize(
    ("kind", "wrap"),
    [(pa.binary(), bytes), (pa.binary_view(), bytes), (pa.list_(pa.binary_view()), lambda value: [value])],
    ids=["binary", "views", "list of views"],
)
def test_a_value_that_fits_into_no_block_is_found_among_those_that_do(monkeypatch, kind, wrap):
    monkeypatch.setattr(column, "MAX_BLOCK_BYTES", 100_000)
    sizes = [20_000] * 20
    check_value_sizes(pa.chunked_array([pa.array([wrap(bytes(size)) for size in sizes], kind)]), "blob")
    sizes[7] = 40_000
    with pytest.raises(LimitExceededError, match="one value is too large; column='blob'"):
        check_value_sizes(pa.chunked_array([pa.array([wrap(bytes(size)) for size in sizes], kind)]), "blob")
