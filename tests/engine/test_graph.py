from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import drift_arrow as drift
from drift_arrow.engine import graph_builder
from drift_arrow.engine.graph import Graph, wants_graph
from drift_arrow.engine.graph_builder import GraphBuilder
from tests.tables import DIM, create, make_table, matrix_of


@pytest.fixture
def clock(monkeypatch):
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(graph_builder, "time", SimpleNamespace(monotonic=lambda: clock.now))
    return clock


@pytest.fixture
def docs(db):
    """Without a Janitor that wants to build a graph itself."""
    return create(db, options=drift.Options(memtable_bytes=5000 * DIM * 4))


def active(docs):
    return docs.pin().memtables[-1]


def indexed_rows(docs) -> int:
    graph = active(docs).memtable.graph
    return 0 if graph is None else graph.n_rows


def is_later(delay_s: float | None) -> bool:
    return delay_s is not None and delay_s > 0


@pytest.mark.parametrize(
    ("dim", "n_rows", "wanted"),
    [(8, 999, False), (8, 1000, True), (256, 1000, True), (1024, 249, False), (1024, 250, True)],
)
def test_a_graph_is_wanted_from_some_rows_on_and_from_fewer_of_many_dimensions(docs, dim, n_rows, wanted):
    spec = replace(active(docs).memtable.spec, schema=make_table(1, dim=dim).schema)
    assert wants_graph(spec, n_rows, 1000) is wanted


def test_dot_has_no_graph(docs):
    assert not wants_graph(replace(active(docs).memtable.spec, metric="dot"), 10**6, 1)


def test_a_memtable_at_rest_gets_its_graph_chunk_by_chunk(docs, clock):
    docs.add(make_table(1000))
    builder, view = GraphBuilder(), active(docs)
    assert is_later(builder.step(view, 100))
    assert view.memtable.graph is None
    clock.now += 1
    n_rows = [0]
    while builder.step(view, 100) == 0:
        n_rows.append(indexed_rows(docs))
    assert n_rows == sorted(set(n_rows))
    assert n_rows[-1] == 1000
    assert builder.step(view, 100) is None


def test_no_graph_is_built_while_rows_come_fast(docs, clock):
    builder = GraphBuilder()
    for start in range(0, 4000, 1000):
        docs.add(make_table(1000, start=start))
        clock.now += 0.25
        assert is_later(builder.step(active(docs), 100))
        assert active(docs).memtable.graph is None


def test_a_graph_goes_on_while_rows_come_slowly(docs, clock):
    builder = GraphBuilder()
    docs.add(make_table(500))
    builder.step(active(docs), 100)
    for start in range(500, 510):
        docs.add(make_table(1, start=start))
        clock.now += 0.25
        assert builder.step(active(docs), 100) == 0
    assert indexed_rows(docs) == 510


def test_a_new_memtable_is_watched_anew(docs, clock):
    builder = GraphBuilder()
    docs.add(make_table(500))
    builder.step(active(docs), 100)
    clock.now += 1
    docs.flush()
    docs.add(make_table(500, start=500))
    assert is_later(builder.step(active(docs), 100))


def test_a_graph_takes_the_whole_memtable_without_a_resize(docs, clock):
    docs.add(make_table(5000))
    view = active(docs)
    assert view.memtable.free_rows == 0
    graph = Graph(view.memtable)
    assert graph._index.get_max_elements() == view.memtable.capacity_rows
    while graph.n_rows < 5000:
        graph.extend(5000)
    assert graph._index.get_max_elements() == view.memtable.capacity_rows
    found = graph.search(view.memtable.matrix[-1:], 10)
    assert found is not None
    assert found[0, 0] == 4999


def test_a_graph_that_holds_too_few_rows_gives_nothing(docs):
    docs.add(make_table(5))
    graph = Graph(active(docs).memtable)
    graph.extend(5)
    assert graph.search(matrix_of(make_table(1)), 6) is None


def test_a_large_answer_does_not_slow_down_those_that_follow(docs):
    docs.add(make_table(2000))
    graph = Graph(active(docs).memtable)
    while graph.n_rows < 2000:
        graph.extend(2000)
    graph.search(matrix_of(make_table(1)), 1000)
    assert graph._index.ef == 10


def test_writes_and_searches_go_on_while_a_graph_is_built(db, monkeypatch):
    entered, resume = threading.Event(), threading.Event()

    def extend(self, n_rows):
        entered.set()
        resume.wait()
        self.n_rows = n_rows

    monkeypatch.setattr(Graph, "extend", extend)
    docs = create(db, options=drift.Options(graph_rows=100))
    docs.add(make_table(1000))
    entered.wait()
    try:
        docs.add(make_table(1000, start=1000))
        docs.upsert(make_table(10, seed=1))
        docs.delete(keys=[11])
        found = docs.search(matrix_of(make_table(10, seed=1))).limit(1).to_arrow()
    finally:
        resume.set()
    assert found["id"].to_pylist() == list(range(10))
    assert np.all(found["_distance"].to_numpy() == 0)
