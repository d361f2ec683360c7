"""Recall is measured against exact answers, with an interval, and its history is kept."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine.signs.observations import RECALL_METADATA
from drift_arrow.engine.signs.recall import interval, measure_recall
from drift_arrow.errors import InvalidArgumentError
from tests.tables import create, make_table, matrix_of

ROWS = 6_000


@pytest.fixture
def docs(db):
    docs = create(db)
    docs.add(make_table(ROWS))
    docs.flush()
    return docs


def queries(n):
    return matrix_of(make_table(n, start=10**6))


def by_hand(docs, sampled, k, target):
    """Share of the exact answers to the sampled queries that searches find."""
    exact = docs.search(sampled).limit(k).exact().to_polars()
    found = docs.search(sampled).limit(k).target_recall(target).to_polars()
    return len(found.join(exact, on=["query_index", "id"])) / len(exact)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_measured_recall_is_that_of_searches_counted_by_hand(db, metric):
    docs = create(db, metric=metric)
    docs.add(make_table(ROWS))
    docs.flush()
    docs.search(queries(200)).to_arrow()
    sampled, targets = docs.pin().observations.queries.vectors(200), (0.5, 0.9)
    measured = docs.recall(k=5, sample=200, targets=targets)
    assert measured["target"].to_list() == list(targets)
    for target, recall in zip(targets, measured["recall"], strict=True):
        assert recall == pytest.approx(by_hand(docs, sampled, 5, target), abs=1e-9)
    assert measured["scanned"].is_sorted()
    assert measured["scanned"][1] < 1
    assert measured["queries"].to_list() == [200, 200]
    assert set(measured["source"]) == {"queries"}


def test_without_searches_rows_are_asked_of_all_others_and_it_is_said(docs):
    measured = docs.recall(k=10, sample=100, targets=[0.9]).row(0, named=True)
    assert measured["source"] == "rows"
    assert measured["queries"] == 100
    assert 0.8 < measured["recall"] <= 1
    assert measured["low"] <= measured["recall"] <= measured["high"]
    # a row that finds itself and nothing else has found nothing
    alone = docs.recall(k=1, sample=300, targets=[0.01])
    assert alone["recall"][0] < 1


def test_a_measurement_is_no_interest_in_a_bucket(docs):
    docs.search(queries(50)).to_arrow()
    before = docs.pin()
    touches, sampled = before.segment_set.touches.copy(), before.observations.queries.vectors(512)
    docs.recall()
    np.testing.assert_array_equal(docs.pin().segment_set.touches, touches)
    np.testing.assert_array_equal(docs.pin().observations.queries.vectors(512), sampled)


def test_rows_that_tie_with_the_last_are_no_misses(db):
    table = make_table(400)
    values = np.zeros((400, 8), np.float32)
    docs = create(db)
    column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
    docs.add(table.set_column(1, "embedding", column))
    docs.flush()
    assert docs.recall(k=7)["recall"].to_list() == [1.0]


def test_memtable_rows_and_few_rows_are_measured_too(db):
    docs = create(db)
    assert docs.recall().is_empty()
    docs.add(make_table(1))
    assert docs.recall().is_empty()
    docs.add(make_table(4, start=1))
    assert docs.recall(k=10)["recall"].to_list() == [1.0]


def test_the_history_grows_with_versions_and_survives_a_reopening(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(ROWS))
        docs.flush()
        docs.recall(sample=20)
        docs.add(make_table(100, start=ROWS))
        docs.flush()
        docs.recall(sample=20, targets=(0.8, 0.95))
        history = docs.recall_history()
        assert history["version"].n_unique() == 2
        assert len(history) == 3
        assert history["taken"].is_sorted()
    with drift.connect(root) as db:
        docs = db.collection("docs")
        assert docs.recall_history().equals(history)
        docs.recall(sample=20)
        assert len(docs.recall_history()) == 4


@pytest.mark.parametrize(
    "arguments",
    [{"k": 0}, {"sample": 0}, {"targets": []}, {"targets": [1.0]}, {"targets": [0.5, 0]}, {"k": 10**6}],
    ids=str,
)
def test_arguments_out_of_range_are_refused(docs, arguments):
    with pytest.raises(InvalidArgumentError):
        docs.recall(**arguments)


def test_the_interval_holds_the_true_mean_about_95_times_in_100():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1_000):
        # queries differ: some are hard, so that their ten neighbours are missed together
        chance = rng.beta(9, 1, 100)
        low, high = interval(rng.binomial(10, chance) / 10, 10)
        hits += low <= 0.9 <= high
    assert 0.92 < hits / 1_000 < 0.98


def test_an_interval_of_perfect_answers_still_has_a_width():
    low, high = interval(np.ones(256), 10)
    assert high == 1
    assert 0.98 < low < 0.99
    assert interval(np.ones(1), 10)[0] < 0.3


def test_a_snapshot_is_measured_as_it_was(docs):
    old = docs.pin()
    docs.delete(keys=list(range(0, ROWS, 2)))
    (measured,) = measure_recall(old, docs.spec, docs.options, k=10, sample=50, targets=[0.9])
    assert measured.recall > 0.8


def recall_of(table):
    return json.loads((table.schema.metadata or {}).get(RECALL_METADATA, b"{}"))


def test_results_carry_what_is_known_of_their_recall(docs):
    search = docs.search(queries(1))
    assert recall_of(search.to_arrow()) == {}
    measured = docs.recall(k=5, sample=50, targets=(0.8, 0.9)).row(1, named=True)
    found = recall_of(search.target_recall(0.9).to_arrow())
    assert (found["recall"], found["low"], found["k"]) == (measured["recall"], measured["low"], 5)
    assert recall_of(search.target_recall(0.95).to_arrow()) == {}
    assert recall_of(search.nprobe(3).to_arrow()) == {}
    assert recall_of(search.exact().to_arrow()) == {}


def test_what_a_reader_searched_for_outlives_its_refresh(root):
    with drift.connect(root) as db:
        create(db).add(make_table(100))
    # a reader in the process of the writer would share its state
    with drift.connect(root) as db, db.collection("docs", read_only=True) as reader:
        reader.search(queries(3)).to_arrow()
        with drift.connect(root) as other:
            other.collection("docs").add(make_table(100, start=100))
            reader.refresh()
        assert len(reader) == 200
        assert reader.recall(k=5)["queries"].to_list() == [3]
