import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.format.plain import check_storable, from_plain, plain_type, to_plain
from tests.format.samples import arrays, same

ARRAYS = arrays()
SLICES = [(0, 6), (1, 4), (2, 0), (3, 3), (5, 1)]

LISTS = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]
LEAVES = [
    (pa.string_view(), st.text(max_size=20)),
    (pa.binary_view(), st.binary(max_size=20)),
    (pa.int16(), st.integers(-9, 9)),
]


@st.composite
def nested_columns(draw):
    """A type of up to three levels with views at its leaves, and some rows of it."""
    kind, values = draw(st.sampled_from(LEAVES))
    for level in range(draw(st.integers(0, 3))):
        rows = st.none() | values
        wrap = draw(st.sampled_from([*LISTS, "fixed", "struct", "map"]))
        if wrap == "struct":
            kind = pa.struct([pa.field("a", kind), pa.field(f"b{level}", pa.string_view())])
            values = st.fixed_dictionaries({"a": rows, f"b{level}": st.none() | st.text(max_size=15)})
        elif wrap == "map":
            kind, values = pa.map_(pa.string_view(), kind), st.lists(st.tuples(st.text(max_size=15), rows), max_size=3)
        elif wrap == "fixed":
            kind, values = pa.list_(kind, 2), st.lists(rows, min_size=2, max_size=2)
        else:
            kind, values = wrap(kind), st.lists(rows, max_size=3)
    return pa.array(draw(st.lists(st.none() | values, max_size=6)), kind)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize(("start", "length"), SLICES)
def test_every_type_comes_back_from_its_plain_form(name, start, length):
    piece = ARRAYS[name].slice(start, length)
    plain = to_plain(piece)
    plain.validate(full=True)
    back = from_plain(plain, piece.type)
    back.validate(full=True)
    assert plain.type == plain_type(piece.type)
    assert same(back, piece)


@pytest.mark.parametrize("name", ARRAYS)
def test_rows_of_every_plain_form_can_be_taken_and_concatenated(name):
    plain = to_plain(ARRAYS[name])
    taken = pc.take(pa.concat_arrays([plain, plain.slice(2)]), pa.array([9, 0, 5, 5]))
    expected = [ARRAYS[name].to_pylist()[row] for row in (5, 0, 5, 5)]
    assert repr(from_plain(taken, ARRAYS[name].type).to_pylist()) == repr(expected)


@given(nested_columns(), st.data())
def test_any_nested_column_comes_back_from_any_slice(column, data):
    start = data.draw(st.integers(0, len(column)))
    piece = column.slice(start, data.draw(st.integers(0, len(column))))
    back = from_plain(to_plain(piece), column.type)
    back.validate(full=True)
    assert same(back, piece)


@given(nested_columns())
def test_the_plain_type_is_its_own_plain_type(column):
    assert plain_type(plain_type(column.type)) == plain_type(column.type)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (pa.string_view(), pa.large_string()),
        (pa.binary_view(), pa.large_binary()),
        (pa.list_view(pa.int8()), pa.list_(pa.int8())),
        (pa.large_list_view(pa.int8()), pa.large_list(pa.int8())),
        (pa.run_end_encoded(pa.int16(), pa.string_view()), pa.large_string()),
        (pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string())),
        (pa.dictionary(pa.uint16(), pa.string()), pa.dictionary(pa.int32(), pa.string())),
        (pa.dictionary(pa.uint32(), pa.string_view(), True), pa.dictionary(pa.uint32(), pa.large_string(), True)),
        (pa.opaque(pa.string_view(), "t", "v"), pa.large_string()),
        (pa.json_(), pa.json_()),
    ],
    ids=str,
)
def test_plain_types_are_those_of_the_format(kind, plain):
    assert plain_type(kind) == plain


@pytest.mark.parametrize("name", ["int64", "string", "list", "struct", "dictionary", "uuid", "dense union"])
def test_a_plain_array_is_not_copied(name):
    assert to_plain(ARRAYS[name]) is ARRAYS[name]


def test_metadata_of_nested_fields_survives():
    kind = pa.list_(pa.field("entry", pa.string_view(), nullable=False, metadata={"k": "v"}))
    plain = plain_type(kind)
    assert plain.value_field.equals(pa.field("entry", pa.large_string(), nullable=False, metadata={"k": "v"}), True)


def test_a_dictionary_of_a_slice_is_numbered_anew_for_a_small_index():
    plain = pa.array([str(i) for i in range(200)]).dictionary_encode().slice(150, 20)
    back = from_plain(plain, pa.dictionary(pa.int8(), pa.string()))
    assert back.to_pylist() == [str(i) for i in range(150, 170)]


def test_more_distinct_values_than_an_index_can_number_ask_for_fewer_rows():
    plain = pa.array([str(i) for i in range(200)]).dictionary_encode()
    with pytest.raises(LimitExceededError, match="select fewer rows"):
        from_plain(plain, pa.dictionary(pa.int8(), pa.string()))


@pytest.mark.parametrize("name", ARRAYS)
def test_every_sample_type_is_storable(name):
    check_storable(pa.field("a", ARRAYS[name].type))


@pytest.mark.parametrize(
    "kind",
    [
        pa.sparse_union([pa.field("a", pa.string_view())]),
        pa.run_end_encoded(pa.int32(), pa.dictionary(pa.int32(), pa.string())),
    ],
)
def test_a_type_that_arrow_cannot_move_is_named(kind):
    with pytest.raises(InvalidArgumentError, match="cannot be stored: cast the column; column='a'"):
        check_storable(pa.field("a", kind))
