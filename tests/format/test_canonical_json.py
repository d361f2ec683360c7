import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.canonical_json import Fields, check_version, dump_json, load_json
from drift_arrow.format.layout import MAX_SAFE_INTEGER

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def load(data, limit=1000):
    return load_json(data, limit, path="p", offset=33)


def fields(**values):
    return Fields(values, "p", 33)


@given(st.dictionaries(st.text(), VALUES, max_size=4))
def test_any_object_comes_back(value):
    assert load(dump_json(value), 1 << 20).value == value


def test_equal_objects_have_equal_bytes():
    assert dump_json({"b": 1, "a": "é"}) == dump_json({"a": "é", "b": 1}) == b'{"a":"\\u00e9","b":1}'


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1.0e0}',
        b'{"a":-0}',
        '{"a":"é"}'.encode(),
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":1',
        b"",
        b"[1]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
    ids=[
        "duplicate keys", "unsorted keys", "a space", "a line feed", "another float", "minus zero", "not ASCII", "NaN",
        "infinity", "a huge integer", "cut off", "nothing", "an array", "a string", "no text", "deep nesting",
    ],
)  # fmt: skip
def test_json_in_another_form_is_damage(data):
    with pytest.raises(CorruptionError) as caught:
        load(data, 1 << 20)
    assert (caught.value.path, caught.value.offset) == ("p", 33)


def test_json_past_the_limit_is_damage_before_it_is_parsed():
    with pytest.raises(CorruptionError, match="too long"):
        load(b'{"a":1}', 6)


@pytest.mark.parametrize("value", [True, 1.0, "1", None, -1, MAX_SAFE_INTEGER + 1])
def test_an_integer_is_no_other_value(value):
    with pytest.raises(CorruptionError, match="needs an integer"):
        fields(a=value).integer("a")


@pytest.mark.parametrize("value", ["", "-1", "01", "1.0", "18446744073709551616", "9" * 21, 1, "1\n"])
def test_a_long_integer_is_a_plain_decimal_string(value):
    with pytest.raises(CorruptionError):
        fields(a=value).long_integer("a")


def test_the_largest_long_integer_comes_back():
    assert fields(a=str(2**64 - 1)).long_integer("a") == 2**64 - 1


@pytest.mark.parametrize("value", [1, None, "ab", "a\n"])
def test_text_matches_its_whole_pattern(value):
    with pytest.raises(CorruptionError):
        fields(a=value).text("a", "a")


@pytest.mark.parametrize("value", ["!", "YQ", "YQ==\n", "é", 1])
def test_base64_is_strict(value):
    with pytest.raises(CorruptionError):
        fields(a=value).base64("a")


@pytest.mark.parametrize("value", [1, [], [1], [1, 2, 3], [2, 1], [1, "2"], [True, 2]])
def test_a_pair_is_two_ascending_integers(value):
    with pytest.raises(CorruptionError):
        fields(a=value).pair("a")


@pytest.mark.parametrize("value", [1, {}, [1], "ab"])
def test_objects_are_an_array_of_objects(value):
    with pytest.raises(CorruptionError):
        fields(a=value).objects("a")


def test_a_missing_key_is_damage():
    with pytest.raises(CorruptionError, match="lacks a key; key='b'"):
        fields(a=1).get("b")


def test_an_unknown_key_is_damage():
    with pytest.raises(CorruptionError, match="unknown keys"):
        fields(a=1, b=2).only("a")


def test_a_newer_version_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        check_version(fields(kind="k", format_version=2), "k")


def test_another_kind_is_damage():
    with pytest.raises(CorruptionError):
        check_version(fields(kind="other", format_version=1), "k")
