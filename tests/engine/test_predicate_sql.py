"""Dates and times in SQL conditions are strings, as in other SQL engines."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.errors import InvalidArgumentError

N_ROWS = 2_000
START = datetime(2024, 1, 1)  # noqa: DTZ001 - a column without a time zone
PARIS = ZoneInfo("Europe/Paris")


def stamps(kind):
    return pa.array([START + timedelta(minutes=10 * row) for row in range(N_ROWS)], kind)


def make_times():
    vectors = np.random.default_rng(0).standard_normal((N_ROWS, 4)).astype(np.float32)
    return pa.table(
        {
            "id": np.arange(N_ROWS),
            "day": stamps(pa.timestamp("us")).cast(pa.date32()),
            "at": stamps(pa.timestamp("ns")),
            "coarse": stamps(pa.timestamp("s")),
            "there": stamps(pa.timestamp("us", "Europe/Paris")),
            "clock": pa.array([time(row % 24, row % 60) for row in range(N_ROWS)]),
            "text": [f"2024-01-{1 + row % 28:02}" for row in range(N_ROWS)],
            "vector": pa.FixedSizeListArray.from_arrays(vectors.reshape(-1), 4),
        }
    )


@pytest.fixture(scope="module", params=["memtable", "segment"])
def docs(request):
    database = drift.connect(f"memory://times-{request.param}")
    docs = database.create_collection("docs", schema=make_times().schema, vector="vector", key="id", metric="l2")
    docs.add(make_times())
    if request.param == "segment":
        docs.flush()
    return docs


def matching(docs, where):
    return set(docs.search(np.zeros(4)).where(where).limit(N_ROWS).select(["id"]).to_arrow()["id"].to_pylist())


def rows(column, test):
    return {row for row, value in enumerate(make_times()[column].to_pylist()) if test(value)}


@pytest.mark.parametrize(
    ("where", "column", "test"),
    [
        ("day > '2024-01-05'", "day", lambda value: value > date(2024, 1, 5)),
        ("'2024-01-05' >= day", "day", lambda value: value <= date(2024, 1, 5)),
        (
            "day BETWEEN '2024-01-03' AND '2024-01-04'",
            "day",
            lambda value: value.day in {3, 4},
        ),
        ("day IN ('2024-01-03', '2024-01-09')", "day", lambda value: value in {date(2024, 1, 3), date(2024, 1, 9)}),
        ("day NOT IN ('2024-01-03')", "day", lambda value: value != date(2024, 1, 3)),
        ("day > '2024-01-05 12:00:00'", "day", lambda value: value > date(2024, 1, 5)),
        ("NOT (day <= '2024-01-03' OR id < 100)", "day", lambda value: value > date(2024, 1, 3)),
        ("at >= '2024-01-02 12:00'", "at", lambda value: value >= START + timedelta(days=1, hours=12)),
        ("at < '2024-01-02T00:00:00.000000001'", "at", lambda value: value <= START + timedelta(days=1)),
        ("at > TIMESTAMP '2024-01-02'", "at", lambda value: value > START + timedelta(days=1)),
        ("coarse = '2024-01-02 00:10:00'", "coarse", lambda value: value == START + timedelta(days=1, minutes=10)),
        ("there >= '2024-01-02'", "there", lambda value: value >= datetime(2024, 1, 2, tzinfo=PARIS)),
        ("there >= '2024-01-02T00:00:00Z'", "there", lambda value: value >= datetime(2024, 1, 2, 1, tzinfo=PARIS)),
        ("there >= TIMESTAMP '2024-01-02'", "there", lambda value: value >= datetime(2024, 1, 2, tzinfo=PARIS)),
        ("there IN ('2024-01-02')", "there", lambda value: value == datetime(2024, 1, 2, tzinfo=PARIS)),
        ("clock > '12:30'", "clock", lambda value: value > time(12, 30)),
        ("text > '2024-01-20'", "text", lambda value: value > "2024-01-20"),
    ],
)
def test_a_string_beside_a_column_of_times_is_a_time(docs, where, column, test):
    wanted = rows(column, test)
    assert wanted
    assert matching(docs, where) == wanted


@pytest.mark.parametrize(
    "where", ["day > 'soon'", "at = '2024-99-01'", "clock IN ('25:00')", "there > '2024-03-31 02:30:00'"]
)
def test_text_that_is_no_time_is_refused_and_named(docs, where):
    with pytest.raises(InvalidArgumentError, match="with text that is none; got="):
        matching(docs, where)


def test_a_string_beside_a_number_is_still_refused(docs):
    with pytest.raises(InvalidArgumentError, match="cannot be evaluated"):
        matching(docs, "day > '2024-01-01' AND id > '7'")


def test_blocks_without_such_a_day_are_not_read(docs):
    assert matching(docs, "day > '2030-01-01'") == set()
