"""Searches of four threads beside a writer: each answers for one state between two writes, never for half a write."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine import memtable_search
from tests import oracle
from tests.memtable_ways import lower_thresholds

DIM, N_KEYS, N_VERSIONS, N_READERS, K = 16, 2000, 8, 4, 10
MEMTABLE_ROWS = 1500
RECALL_FLOOR = 0.95
GONE = -1

_random = np.random.default_rng(11)
_centres = _random.normal(size=(20, DIM)) * 3
VECTORS = (
    _centres[_random.integers(20, size=(N_KEYS, N_VERSIONS))] + _random.normal(size=(N_KEYS, N_VERSIONS, DIM))
).astype(np.float32)
SCHEMA = pa.schema({"id": pa.int64(), "version": pa.int64(), "v": pa.list_(pa.float32(), DIM)})


def vectors(keys: np.ndarray, versions: np.ndarray) -> np.ndarray:
    return VECTORS[keys, versions % N_VERSIONS]


def table(keys: np.ndarray, version: int) -> pa.Table:
    matrix = vectors(keys, np.full(len(keys), version))
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), DIM)
    return pa.table([pa.array(keys), pa.array(np.full(len(keys), version)), column], schema=SCHEMA)


class History:
    """The version of every key after each write. One thread writes; `started` moves before a write, `ended` after."""

    def __init__(self) -> None:
        self.states = [np.full(N_KEYS, GONE)]
        self.started = self.ended = 0

    def write(self, docs: drift.Collection, rng: random.Random) -> None:
        state = self.states[-1]
        kind = rng.choices(("add", "upsert", "delete", "delete where", "flush"), (8, 8, 6, 2, 1))[0]
        pool = np.flatnonzero(state == GONE) if kind == "add" else np.arange(N_KEYS)
        keys = np.array(rng.sample(pool.tolist(), min(len(pool), rng.choice((1, 20, 150, 400)))), dtype=np.int64)
        self.apply(docs, kind, keys)

    def apply(self, docs: drift.Collection, kind: str, keys: np.ndarray) -> None:
        version = len(self.states)
        after = self.states[-1].copy()
        if kind == "delete where":
            after[np.arange(N_KEYS) % 41 == version % 41] = GONE
        elif kind != "flush":
            after[keys] = GONE if kind == "delete" else version
        # before the write begins, since a reader may see it at any moment from then on
        self.states.append(after)
        self.started += 1
        if kind == "flush":
            docs.flush()
        elif kind == "delete where":
            docs.delete(where=f"id % 41 = {version % 41}")
        elif kind == "delete":
            docs.delete(keys=keys.tolist())
        elif len(keys):
            (docs.add if kind == "add" else docs.upsert)(table(keys, version))
        self.ended += 1


@dataclass
class Reader:
    """Asks one thing after the other, and holds each answer against every state that it may be an answer for."""

    docs: drift.Collection
    history: History
    rng: random.Random
    wanted: int = 0
    found: int = 0

    def read_once(self) -> None:
        query = VECTORS[self.rng.randrange(N_KEYS), self.rng.randrange(N_VERSIONS)]
        ask = self.rng.choice((self.everything, self.nearest_exactly, self.nearest, self.nearest, self.some, self.few))
        oldest = self.history.ended
        check = ask(query)
        newest = self.history.started
        states = self.history.states[oldest : newest + 1]
        assert any(check(state) for state in states), f"{ask.__name__} fits none of the states {oldest}..{newest}"

    def everything(self, query):
        """A search for all rows shows all that every write up to some moment did, and nothing of later ones."""
        found = self.docs.search(query).limit(10_000).exact().to_arrow()

        def check(state):
            got = np.full(N_KEYS, GONE)
            got[found["id"].to_numpy()] = found["version"].to_numpy()
            return found.num_rows == (state != GONE).sum() and np.array_equal(got, state)

        return check

    def nearest_exactly(self, query):
        return self.ranked(query, self.docs.search(query).limit(K).exact().to_arrow(), lambda keys: keys >= 0)

    def some(self, query):
        search = self.docs.search(query).where("id % 2 = 0").limit(K).exact()
        return self.ranked(query, search.to_arrow(), lambda keys: keys % 2 == 0)

    def few(self, query):
        search = self.docs.search(query).where("id < 40").limit(K).exact()
        return self.ranked(query, search.to_arrow(), lambda keys: keys < 40)

    def nearest(self, query):
        found = self.docs.search(query).limit(K).target_recall(self.rng.choice((0.95, 0.99, 0.999))).to_arrow()

        def check(state):
            if not self.holds(state, query, found, np.flatnonzero(state != GONE)):
                return False
            true = self.distances(state, query, np.flatnonzero(state != GONE))[:K]
            self.wanted += len(true)
            self.found += int((found["_distance"].to_numpy() <= true[-1:] + 1e-3).sum())
            return True

        return check

    def ranked(self, query, found, allows):
        def check(state):
            keys = np.flatnonzero(state != GONE)
            keys = keys[allows(keys)]
            true = self.distances(state, query, keys)[:K]
            return self.holds(state, query, found, keys) and np.allclose(found["_distance"], true, rtol=0, atol=1e-3)

        return check

    def holds(self, state, query, found, keys) -> bool:
        """Whether as many rows came back as there are, each alive in a state, and at its exact distance."""
        ids, versions = found["id"].to_numpy(), found["version"].to_numpy()
        if len(ids) != min(K, len(keys)) or len(np.unique(ids)) != len(ids):
            return False
        if not np.array_equal(state[ids], versions):
            return False
        exact = oracle.distances(vectors(ids, versions), query, "l2")
        assert np.allclose(found["_distance"], exact, rtol=0, atol=1e-3)
        return True

    @staticmethod
    def distances(state, query, keys) -> np.ndarray:
        return np.sort(oracle.distances(vectors(keys, state[keys]), query, "l2"))


def run(db: drift.Database, n_writes: int, seed: int) -> None:
    options = drift.Options(memtable_bytes=MEMTABLE_ROWS * DIM * 4, graph_rows=1, merge_bytes=MEMTABLE_ROWS * DIM * 8)
    docs = db.create_collection(f"docs{seed}", schema=SCHEMA, vector="v", key="id", options=options)
    history = History()
    readers = [Reader(docs, history, random.Random(number)) for number in range(N_READERS)]

    def write() -> None:
        rng = random.Random(seed)
        for _ in range(n_writes):
            history.write(docs, rng)

    with ThreadPoolExecutor(N_READERS + 1) as pool:
        writing = pool.submit(write)

        def read(reader: Reader) -> int:
            n_reads = 0
            while not writing.done():
                reader.read_once()
                n_reads += 1
            return n_reads

        reads = [pool.submit(read, reader) for reader in readers]
        writing.result()
        assert min(future.result() for future in reads) > 0
    for reader in readers:
        assert reader.found >= RECALL_FLOOR * reader.wanted
    # whatever the threads met, the graph of a memtable at rest has its turn
    history.apply(docs, "flush", np.arange(0))
    history.apply(docs, "upsert", np.arange(0, N_KEYS, 5))
    memtable = docs.pin().memtables[-1].memtable
    while memtable.graph is None or memtable.graph.n_rows < memtable.n_rows:
        time.sleep(0.01)
    for _ in range(40):
        readers[0].read_once()


@pytest.fixture
def graph_answers(monkeypatch):
    """How many searches a graph answered."""
    answers = []
    search = memtable_search._search_graph

    def watched(*args):
        n_rows, rows = search(*args)
        if rows is not None:
            answers.append(n_rows)
        return n_rows, rows

    monkeypatch.setattr(memtable_search, "_search_graph", watched)
    return answers


@pytest.mark.parametrize("n_writes", [120, pytest.param(1000, marks=pytest.mark.slow)])
def test_every_answer_is_that_of_one_state_between_two_writes(any_db, n_writes, monkeypatch, graph_answers):
    lower_thresholds(monkeypatch, block_rows=32, ef=48)
    run(any_db, n_writes, seed=5)
    assert graph_answers


@pytest.mark.slow
def test_every_answer_is_that_of_one_state_at_the_usual_thresholds(any_db):
    run(any_db, 1000, seed=6)
