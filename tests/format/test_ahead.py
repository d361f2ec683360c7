from __future__ import annotations

import threading
from contextlib import closing

import pytest

from drift_arrow.format.ahead import ahead


def test_items_come_in_order():
    assert list(ahead(iter(range(1, 20)))) == list(range(1, 20))
    assert list(ahead(iter(()))) == []


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield 1
        made.set()
        yield 2

    with closing(ahead(items())) as found:
        assert next(found) == 1
        assert made.wait(timeout=60)


def test_no_more_than_one_item_waits():
    made = []

    def items():
        for number in range(1, 10):
            made.append(number)
            yield number

    with closing(ahead(items())) as found:
        next(found)
        next(found)
    assert len(made) <= 3


def test_an_error_comes_where_the_item_would():
    def items():
        yield 1
        raise ValueError("no more")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(ValueError, match="no more"):
        next(found)
