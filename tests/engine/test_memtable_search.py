from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.cli.sample import load_sample
from drift_arrow.engine import memtable_search
from drift_arrow.engine.execute import execute
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.scan import exact_scan
from tests import oracle

K = 10


@pytest.fixture(scope="module")
def sample():
    return load_sample()


@pytest.fixture
def ways(monkeypatch):
    """Which ways the searches of memtables took, in order."""
    taken: list[str] = []

    def watched(name, function):
        def call(*args, **kwargs):
            taken.append(name)
            return function(*args, **kwargs)

        return call

    monkeypatch.setattr(memtable_search, "adc_scan", watched("codes", adc_scan))
    monkeypatch.setattr(memtable_search, "exact_scan", watched("exact", exact_scan))
    return taken


def vectors_of(table) -> np.ndarray:
    column = table.column("vector").combine_chunks()
    return column.flatten().to_numpy().reshape(len(column), -1)


def filled(db, table, *, metric="l2", graph_rows=1 << 30):
    docs = db.create_collection(
        "docs",
        schema=table.schema,
        vector="vector",
        key="id",
        metric=metric,
        options=drift.Options(graph_rows=graph_rows),
    )
    for start in range(0, table.num_rows, 700):
        docs.add(table.slice(start, 700))
    return docs


def with_graph(db, table, monkeypatch, metric="l2"):
    """A collection whose memtable is searched by its graph, however few rows there are."""
    monkeypatch.setattr(memtable_search, "_ROWS_PER_EF", 1)
    docs = filled(db, table, metric=metric, graph_rows=1)
    wait_for_graph(docs)
    return docs


def wait_for_graph(docs):
    view = docs.pin().memtables[-1]
    while view.memtable.graph is None or view.memtable.graph.n_rows < view.n_rows:
        time.sleep(0.01)


def recall(search, rows, queries, metric="l2", k=K) -> float:
    """Share of the rows found that are no farther than the true k-th; `_distance` must be exact."""
    found = search.limit(k).to_arrow()
    distances = found["_distance"].to_numpy().reshape(len(queries), k)
    hits = 0
    for query, row in zip(queries, distances, strict=True):
        true = np.sort(oracle.distances(rows, query, metric))[:k]
        hits += int((row <= true[-1] + oracle.tolerance(rows, query, metric)).sum())
    return hits / distances.size


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_codes_find_the_nearest_real_vectors(db, sample, ways, metric):
    docs = filled(db, sample.table, metric=metric)
    ways.clear()
    assert recall(docs.search(sample.queries), vectors_of(sample.table), sample.queries, metric) >= 0.999
    assert ways.count("codes") == ways.count("exact") > 0


@pytest.mark.parametrize("metric", ["l2", "cosine"])
def test_the_graph_finds_the_nearest_real_vectors(db, sample, ways, metric, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch, metric)
    ways.clear()
    assert recall(docs.search(sample.queries), vectors_of(sample.table), sample.queries, metric) >= 0.97
    # the rows behind the last whole block
    assert set(ways) == {"exact"}
    ways.clear()
    search = docs.search(sample.queries).target_recall(0.99)
    assert recall(search, vectors_of(sample.table), sample.queries, metric) >= 0.99
    assert set(ways) == {"exact"}


def test_an_exact_search_takes_neither_codes_nor_graph(db, sample, ways, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch)
    monkeypatch.setattr(memtable_search, "_search_graph", None)
    assert recall(docs.search(sample.queries).exact(), vectors_of(sample.table), sample.queries) == 1
    assert set(ways) == {"exact"}


def test_a_recall_that_no_graph_promises_takes_the_codes(db, sample, ways, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch)
    ways.clear()
    docs.search(sample.queries[0]).target_recall(0.999).to_arrow()
    assert "codes" in ways


def test_few_rows_are_scanned_without_their_codes(db, sample, ways):
    docs = filled(db, sample.table.slice(0, 600))
    docs.search(sample.queries[0]).to_arrow()
    assert ways == ["exact"]


def test_a_filter_that_leaves_few_rows_takes_the_exact_scan_and_one_that_leaves_many_the_codes(db, sample, ways):
    docs = filled(db, sample.table)
    ids, rows = sample.table["id"].to_numpy(), vectors_of(sample.table)
    for where, mask, way in [("id % 100 = 7", ids % 100 == 7, "exact"), ("id % 10 <> 7", ids % 10 != 7, "codes")]:
        ways.clear()
        assert recall(docs.search(sample.queries[:20]).where(where), rows[mask], sample.queries[:20]) >= 0.999
        assert way in ways
        assert ("codes" in ways) == (way == "codes")


def test_a_filter_is_never_answered_by_the_graph(db, sample, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch)
    found = docs.search(sample.queries).where("id % 2 = 0").to_arrow()
    assert found.num_rows == K * len(sample.queries)
    assert not np.any(found["id"].to_numpy() % 2)


def test_deleted_and_replaced_rows_never_return_through_the_graph(db, sample, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch)
    rows = vectors_of(sample.table)
    nearest = np.unique([np.argmin(oracle.distances(rows, query, "l2")) for query in sample.queries])
    gone, moved = nearest[::2], nearest[1::2]
    docs.delete(keys=sample.table["id"].take(gone).combine_chunks())
    far = pa.FixedSizeListArray.from_arrays(pa.array(np.full(rows[moved].size, 1e4, np.float32)), rows.shape[1])
    docs.upsert(sample.table.take(moved).set_column(sample.table.schema.names.index("vector"), "vector", far))
    alive = np.delete(rows, nearest, axis=0)
    assert recall(docs.search(sample.queries), alive, sample.queries) >= 0.97
    wait_for_graph(docs)
    assert recall(docs.search(sample.queries), alive, sample.queries) >= 0.97
    found = set(docs.search(sample.queries).to_arrow()["id"].to_pylist())
    assert not found & set(sample.table["id"].take(nearest).to_pylist())


def test_k_rows_come_back_where_all_that_the_graph_finds_are_deleted(db, sample, ways, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch)
    rows = vectors_of(sample.table)
    order = np.argsort(oracle.distances(rows, sample.queries[0], "l2"))
    docs.delete(keys=sample.table["id"].take(order[:500]).combine_chunks())
    ways.clear()
    assert recall(docs.search(sample.queries[0]), np.delete(rows, order[:500], axis=0), sample.queries[:1]) == 1
    assert "codes" in ways


def test_a_failing_graph_leaves_the_search_to_the_codes(db, sample, ways, monkeypatch):
    docs = with_graph(db, sample.table, monkeypatch)

    class Failing:
        def knn_query(self, *args, **kwargs):
            raise RuntimeError("Cannot return the results in a contiguous 2D array")

    docs.pin().memtables[-1].memtable.graph._index = Failing()
    ways.clear()
    assert recall(docs.search(sample.queries), vectors_of(sample.table), sample.queries) >= 0.999
    assert "codes" in ways


def test_an_older_snapshot_does_not_see_rows_that_codes_and_graph_gained_since(db, sample, monkeypatch):
    monkeypatch.setattr(memtable_search, "_ROWS_PER_EF", 1)
    docs = filled(db, sample.table.slice(0, 4000), graph_rows=1)
    snapshot, rows = docs.pin(), vectors_of(sample.table)[:4000]
    docs.add(sample.table.slice(4000))
    wait_for_graph(docs)
    request = docs.search(sample.queries)._request()
    spec = snapshot.memtables[-1].memtable.spec
    for target in (0.95, 0.999):
        found = execute(snapshot, spec, replace(request, goal=replace(request.goal, target_recall=target)))
        assert max(found["id"].to_pylist()) <= max(sample.table["id"].slice(0, 4000).to_pylist())
        distances = found["_distance"].to_numpy().reshape(-1, K)
        true = np.array([np.sort(oracle.distances(rows, query, "l2"))[:K] for query in sample.queries])
        assert np.mean(distances <= true[:, -1:] * (1 + 1e-5)) >= 0.97


def test_the_memory_of_a_memtable_is_reported(db, sample):
    docs = filled(db, sample.table)
    floats = sample.table.num_rows * 128 * 4
    assert 1.25 * floats < docs.stats().memtable_bytes < 1.6 * floats
    docs.flush()
    assert docs.stats().memtable_bytes == 0
