"""Searches beside healing find every live row, and none twice."""

from __future__ import annotations

import itertools
import random
import threading
from typing import Self

import pyarrow as pa
import pytest

import drift_arrow as drift
from tests.engine.heal.worlds import APART, core_of, rows_of
from tests.moves import move_any
from tests.tables import create, make_table

_names = itertools.count()
_ROWS = 200
_QUERY = [0.5] * 8


class Searches:
    """Threads that ask for all rows, again and again, until they are told to stop."""

    def __init__(self, docs: drift.Collection, wanted: frozenset[int]) -> None:
        self.n_searches = 0
        self.wrong: list[str] = []
        self._docs, self._wanted = docs, wanted
        self._stopping = False
        self._threads = [threading.Thread(target=self._search, args=(number,)) for number in range(2)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        for thread in self._threads:
            thread.join()

    def _search(self, number: int) -> None:
        while not self._stopping:
            search = self._docs.search(_QUERY).limit(2 * _ROWS)
            ids = (search.exact() if number else search).to_arrow()["id"].to_pylist()
            self.n_searches += 1
            # rows that are deleted and written all the time may be there or not
            steady = [key for key in ids if key in self._wanted]
            if len(ids) != len(set(ids)) or set(steady) != self._wanted:
                self.wrong.append(f"{len(steady)} of {len(self._wanted)} rows, {len(ids) - len(set(ids))} twice")


@pytest.fixture
def db():
    with drift.connect(f"memory://beside-healing-{next(_names)}") as database:
        yield database


def collection(db: drift.Database) -> drift.Collection:
    docs = create(db, options=APART)
    for start in range(0, _ROWS, 50):
        docs.add(make_table(50, start=start))
        docs.flush()
    return docs


def test_searches_beside_two_hundred_moves_miss_no_row_and_find_none_twice(db):
    docs = collection(db)
    with Searches(docs, frozenset(range(_ROWS))) as searches:
        for seed in range(200):
            move_any(core_of(docs), seed)
    assert searches.wrong == []
    assert searches.n_searches > 20


def test_searches_beside_writes_and_healing_miss_no_row_and_find_none_twice(db):
    docs = collection(db)
    steady = frozenset(range(0, _ROWS, 2))
    rng = random.Random(2)
    with Searches(docs, steady) as searches:
        for _ in range(20):
            keys = [key for key in rng.sample(range(_ROWS), 20) if key not in steady]
            docs.delete(keys=keys)
            docs.upsert(make_table(_ROWS, seed=0).filter(pa.array([key in keys[:7] for key in range(_ROWS)])))
            docs.flush()
            docs.heal()
    assert searches.wrong == []
    assert steady <= set(rows_of(docs)["id"].to_pylist())


@pytest.mark.parametrize("seed", range(3))
def test_deletions_beside_healing_are_not_undone(db, seed):
    docs = collection(db)
    rng = random.Random(seed)
    gone: set[int] = set()

    def delete() -> None:
        for _ in range(30):
            keys = rng.sample(range(_ROWS), 10)
            docs.delete(keys=keys)
            gone.update(keys)

    thread = threading.Thread(target=delete)
    thread.start()
    while thread.is_alive():
        docs.heal()
        move_any(core_of(docs), seed)
    thread.join()
    assert rows_of(docs)["id"].to_pylist() == sorted(set(range(_ROWS)) - gone)
