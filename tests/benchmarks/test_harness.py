import math
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from harness.duel import duel
from harness.report import Bar, aligned, bar_table


def test_every_call_has_its_turn():
    calls = {"a": 0, "b": 0}

    def count(name):
        calls[name] += 1

    times = duel({name: partial(count, name) for name in calls}, seconds=0, repeats=2, is_hot=True)
    # one to begin with, then three rounds of one untimed and two timed calls
    assert calls == {"a": 10, "b": 10}
    assert all(seconds > 0 for seconds in times.values())


def test_the_order_of_the_calls_changes():
    order: list[str] = []
    duel({name: partial(order.append, name) for name in "abcdef"}, seconds=0.05)
    followers = {pair for pair in pairwise(order) if pair[0] == "a"}
    assert len(followers) > 2


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(2.0, False, "PASS"), (1.0, False, "MISS"), (1.0, True, "PASS"), (2.0, True, "MISS"), (math.nan, True, "-")],
)
def test_a_bar_passes_or_misses(value, at_most, verdict):
    assert Bar(name="x", value=value, limit=1.5, at_most=at_most).verdict == verdict


def test_tables_are_aligned():
    assert aligned(("name", "n"), [("a", "1"), ("bc", "23")]) == "name   n\na      1\nbc    23"
    assert "MISS" in bar_table([Bar(name="x", value=1, limit=2)])


def test_other_bits_are_noticed():
    column = pytest.importorskip("codec_bench.column")
    values = np.array([0.0, -0.0, np.nan, 1.5])
    given = column.Column(column.Group.SAMPLE, "x", values)
    assert column.same_bits(given, pa.array(values.copy(), from_pandas=False))
    assert column.same_bits(given, pa.chunked_array([pa.array(values[:1]), pa.array(values[1:], from_pandas=False)]))
    assert not column.same_bits(given, pa.array(np.abs(values), from_pandas=False))
    assert not column.same_bits(given, pa.array(values[:3], from_pandas=False))
