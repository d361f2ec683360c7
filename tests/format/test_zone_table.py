"""Zone maps: bounds that no row breaks, in 40 bytes."""

import datetime as dt
import math
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.format.plain import to_plain
from drift_arrow.format.zone import bound_type
from drift_arrow.format.zone_table import ZONE_DTYPE, ZoneTable, measure_zone, zone_entries
from tests.format.samples import arrays

ARRAYS = arrays()
UNBOUNDED = {
    "null", "decimal256", "interval", "list", "large_list", "list of views", "list_view", "large_list_view",
    "fixed_size_list", "fixed_size_list of views", "struct", "struct of views", "struct without fields", "map",
    "map of views", "deep", "list of dictionary", "list of run_end_encoded", "sparse union", "dense union", "uuid",
    "json", "bool8", "fixed_shape_tensor",
}  # fmt: skip


def zone_of(array):
    plain = to_plain(array)
    table = ZoneTable(zone_entries([measure_zone(plain)]), np.array([len(array)]), path="p", offset=0)
    return table.zone(0, array.type)


def bounds(array):
    zone = zone_of(array)
    return tuple(None if bound is None else bound.as_py() for bound in (zone.minimum, zone.maximum))


def test_an_entry_has_40_bytes():
    assert ZONE_DTYPE.itemsize == 40


@pytest.mark.parametrize("name", sorted(ARRAYS))
def test_every_type_is_bounded_by_its_rows_or_not_at_all(name):
    array = ARRAYS[name]
    zone = zone_of(array)
    values = [value for value in array.to_pylist() if value is not None]
    assert ((zone.minimum is None) and (zone.maximum is None)) == (name in UNBOUNDED)
    if name not in UNBOUNDED:
        assert zone.minimum.type == zone.maximum.type == bound_type(array.type)
        assert zone.null_count == len(array) - len(values)
    if name not in UNBOUNDED and "view" not in name:
        assert zone.minimum.as_py() == min(values) or len(str(min(values))) > 8
        assert all(zone.minimum.as_py() <= value <= zone.maximum.as_py() for value in values)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (pa.int8(), [-128, 127]),
        (pa.uint64(), [0, 2**64 - 1]),
        (pa.int64(), [-(2**63), 2**63 - 1]),
        (pa.bool_(), [False, True]),
        (pa.date32(), [dt.date(1, 1, 1), dt.date(9999, 12, 31)]),
        (pa.duration("us"), [dt.timedelta(-5), dt.timedelta(5)]),
        (pa.decimal32(4, 2), [Decimal("-99.99"), Decimal("99.99")]),
        (pa.decimal64(12, 2), [Decimal("-1.00"), Decimal("1.00")]),
        (pa.decimal128(38, 0), [Decimal(-(10**37)), Decimal(10**37)]),
        (pa.float16(), [-1.5, np.inf]),
        (pa.float64(), [-np.inf, 5e-324]),
    ],
)
def test_extreme_values_are_their_own_bounds(kind, values):
    assert bounds(pa.array([values[1], None, values[0]], kind)) == tuple(values)


def test_nan_is_told_apart_from_the_bounds():
    zone = zone_of(pa.array([np.nan, 1.0, None, 3.0]))
    assert (zone.minimum.as_py(), zone.maximum.as_py(), zone.has_nan, zone.null_count) == (1.0, 3.0, True, 1)
    assert not zone_of(pa.array([1.0])).has_nan


def test_rows_that_are_all_nan_have_no_bounds():
    zone = zone_of(pa.array([np.nan, np.nan], pa.float32()))
    assert (zone.minimum, zone.maximum, zone.has_nan) == (None, None, True)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_a_zero_is_bounded_by_both_zeros(zero):
    assert [repr(bound) for bound in bounds(pa.array([zero]))] == ["-0.0", "0.0"]


@pytest.mark.parametrize("array", [pa.nulls(3, pa.int64()), pa.nulls(3, pa.string()), pa.nulls(3)])
def test_rows_that_are_all_null_have_no_bounds(array):
    zone = zone_of(array)
    assert (zone.minimum, zone.maximum, zone.null_count) == (None, None, 3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", "")),
        ("sixteen bytes ok", ("sixteen bytes ok", "sixteen bytes ok")),
        ("sixteen bytes ok.", ("sixteen bytes ok", "sixteen bytes ol")),
        ("fifteen bytes: é", ("fifteen bytes: ", "fifteen bytes:!")),
        ("x" * 15 + "\x7fy", ("x" * 15 + "\x7f", "x" * 14 + "y")),
        ("\U0010ffff" * 5, ("\U0010ffff" * 4, None)),
        ("a" * 4 + "\U0010ffff" * 5, ("aaaa" + "\U0010ffff" * 3, "aaab")),
        ("\ud7ff" * 6, ("\ud7ff" * 5, "\ud7ff" * 4 + "\ue000")),
    ],
)
def test_long_text_is_cut_between_characters_and_rounded_up(text, expected):
    assert bounds(pa.array([text])) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"\xff" * 16, (b"\xff" * 16, b"\xff" * 16)),
        (b"\xff" * 17, (b"\xff" * 16, None)),
        (b"a" * 15 + b"\xff\xff", (b"a" * 15 + b"\xff", b"a" * 14 + b"b")),
        (b"a" * 17, (b"a" * 16, b"a" * 15 + b"b")),
    ],
)
def test_long_binaries_are_cut_and_rounded_up(value, expected):
    assert bounds(pa.array([value])) == expected


@given(st.lists(st.one_of(st.none(), st.text(max_size=24)), min_size=1, max_size=8))
def test_no_text_breaks_its_bounds(texts):
    zone = zone_of(pa.array(texts, pa.string()))
    for text in [text for text in texts if text is not None]:
        assert zone.minimum.as_py().encode() <= text.encode()
        assert zone.maximum is None or text.encode() <= zone.maximum.as_py().encode()


@given(st.lists(st.one_of(st.none(), st.binary(max_size=24)), min_size=1, max_size=8))
def test_no_binary_breaks_its_bounds(values):
    zone = zone_of(pa.array(values, pa.binary()))
    for value in [value for value in values if value is not None]:
        assert zone.minimum.as_py() <= value
        assert zone.maximum is None or value <= zone.maximum.as_py()


@given(st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=1, max_size=8))
def test_no_float_breaks_its_bounds(values):
    zone = zone_of(pa.array(values, pa.float32(), from_pandas=False))
    numbers = [value for value in values if value is not None and not math.isnan(value)]
    assert all(zone.minimum.as_py() <= value <= zone.maximum.as_py() for value in numbers)
    assert zone.has_nan == any(math.isnan(value) for value in values if value is not None)


def test_a_dictionary_is_bounded_by_the_values_that_rows_use():
    array = pa.DictionaryArray.from_arrays(pa.array([1, None, 2]), pa.array(["a", "b", None, "z"]))
    zone = zone_of(array)
    assert (zone.minimum.as_py(), zone.maximum.as_py(), zone.null_count) == ("b", "b", 2)


def test_a_slice_is_bounded_by_its_own_rows():
    array = pa.array([0, 5, None, 7, 100])
    assert bounds(array.slice(1, 3)) == (5, 7)
    assert bounds(array.cast(pa.int8()).cast(pa.decimal64(18, 0)).slice(1, 3)) == (Decimal(5), Decimal(7))
    assert bounds(pc.cast(array, pa.duration("s")).slice(3, 1)) == (dt.timedelta(seconds=7),) * 2
