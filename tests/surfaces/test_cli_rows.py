"""Rows of Arrow tables as JSON values."""

from __future__ import annotations

import datetime as dt
import decimal
import json

import pyarrow as pa
import pytest

from drift_arrow.cli.output import bytes_text, cell
from drift_arrow.cli.rows import plain_rows

NANOSECONDS = 1_370_353_049_123_456_789

CASES = [
    (pa.array([1.5, float("nan"), float("inf"), None]), [1.5, None, None, None]),
    (pa.array([b"\x00\xff", None]), ["AP8=", None]),
    (pa.array([True, None]), [True, None]),
    (pa.array([[1.0, float("nan")], None], pa.list_(pa.float32())), [[1.0, None], None]),
    (pa.array([{"a": b"\x00"}, None]), [{"a": "AA=="}, None]),
    (pa.array([decimal.Decimal("1.20")]), ["1.20"]),
    (pa.array([dt.date(2020, 1, 2)]), ["2020-01-02"]),
    (pa.array([NANOSECONDS], pa.timestamp("ns", "UTC")), ["2013-06-04 13:37:29.123456789Z"]),
    (pa.array([5], pa.duration("ns")), [5]),
    (pa.array(["x", "y", "x"]).dictionary_encode(), ["x", "y", "x"]),
    (pa.array([0.5], pa.float16()), [0.5]),
]


@pytest.mark.parametrize(("column", "expected"), CASES, ids=[str(column.type) for column, _ in CASES])
def test_every_value_becomes_one_that_json_holds(column, expected):
    rows = plain_rows(pa.table({"value": column}))
    assert [row["value"] for row in rows] == expected
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_a_long_list_is_cut_in_a_table_cell():
    assert cell([1.0, 2.5]) == "[1, 2.5]"
    assert cell([0.0] * 128) == "[0, 0, 0, 0, … 128 in all]"


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (1_234_567, "1.2 MB"), (5e9, "5.0 GB"), (2e13, "20.0 TB")],
)
def test_sizes_are_written_for_people(size, expected):
    assert bytes_text(size) == expected
