"""Healing makes a collection as cheap to search as a fresh one, moves no row without a gain, and ends."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.engine.heal.healer import Healer
from drift_arrow.errors import InvalidArgumentError
from tests.engine.heal.worlds import (
    APART,
    BY_HAND,
    core_of,
    fresh,
    queries_near,
    rows_of,
    scanned_and_recall,
    scattered,
    survey_of,
)
from tests.tables import create, make_table


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_segments_that_lie_over_one_another_become_as_cheap_as_fresh_ones(db, metric):
    docs = scattered(db, 8, 1500, metric=metric)
    before, rows = survey_of(docs).query_cost, rows_of(docs)
    report = docs.heal()
    assert rows_of(docs).equals(rows)
    assert docs.stats().segments == 1
    after = survey_of(docs).query_cost
    assert after < before
    assert after < 1.3 * survey_of(fresh(db, docs, metric)).query_cost
    assert "done" in report["outcome"]


def test_after_half_of_the_rows_died_behind_a_shift_searches_scan_as_few_rows_as_fresh_ones(db):
    docs = create(db, options=BY_HAND)
    docs.add(make_table(8000))
    docs.flush()
    moved = make_table(4000, start=8000, seed=3)
    vectors = np.array(moved["embedding"].to_pylist(), dtype=np.float32) + 3
    moved = moved.set_column(1, "embedding", pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 8))
    docs.add(moved)
    docs.flush()
    docs.delete(keys=np.random.default_rng(1).choice(12000, 6000, replace=False).tolist())
    queries = queries_near(rows_of(docs), 300)
    sick, _ = scanned_and_recall(docs, queries)
    docs.heal()
    healed, recall = scanned_and_recall(docs, queries)
    wanted, _ = scanned_and_recall(fresh(db, docs), queries)
    assert round(recall, 3) >= 0.95
    assert healed <= 1.2 * wanted
    assert healed < sick
    assert docs.stats().deleted_rows == 0


def test_healing_ends_and_finds_nothing_more_to_do(db):
    docs = scattered(db, 5, 1000)
    docs.delete(keys=list(range(0, 5000, 3)))
    docs.heal()
    version = docs.stats().version
    assert "done" not in docs.heal()["outcome"]
    assert docs.stats().version == version


def test_a_fresh_collection_is_left_alone(db):
    docs = create(db, options=BY_HAND)
    docs.add(make_table(5000))
    docs.flush()
    version = docs.stats().version
    assert "done" not in docs.heal()["outcome"]
    assert docs.stats().version == version


def test_a_preview_changes_nothing_and_names_what_healing_begins_with(db):
    docs = scattered(db, 6, 800)
    version = docs.stats().version
    preview = docs.heal(dry_run=True)
    assert docs.stats().version == version
    assert set(preview["outcome"]) == {"planned"}
    done = docs.heal()
    assert preview["action"][0] == done["action"][0]
    assert preview.schema == done.schema


@pytest.mark.parametrize("budget", [100, 700])
def test_no_more_rows_move_than_the_budget_allows(db, budget):
    docs = scattered(db, 6, 800)
    report = docs.heal(budget)
    moved = sum(report.filter(report["outcome"] == "done")["rows"])
    assert moved <= budget
    assert core_of(docs).moved_rows == moved


@pytest.mark.parametrize("budget", [0, -1, True])
def test_a_budget_is_a_number_of_rows(db, budget):
    docs = create(db)
    with pytest.raises(InvalidArgumentError, match="budget_rows must be an int from 1"):
        docs.heal(budget)


def test_bounded_steps_reclaim_the_dead_rows_of_a_segment_larger_than_each(db):
    docs = create(db, options=BY_HAND)
    docs.add(make_table(6000))
    docs.flush()
    docs.delete(keys=list(range(0, 6000, 2)))
    healer = Healer(core_of(docs))
    for _ in range(8):
        healer.step(700)
        assert len(docs) == 3000
    stats = docs.stats()
    assert stats.deleted_rows <= 0.2 * stats.rows


def test_what_gained_nothing_is_not_tried_again(db, monkeypatch):
    docs = scattered(db, 6, 800)
    monkeypatch.setattr("drift_arrow.engine.heal.plan._VERIFIED_WORTH", 1e9)
    healer = Healer(core_of(docs))
    tried = [treatment.proposal for treatment in healer.step() if treatment.outcome == "no gain"]
    assert tried
    assert not any(treatment.outcome == "no gain" for treatment in healer.step())


def test_equal_vectors_are_neither_lost_nor_moved_for_ever(db):
    table = make_table(3000)
    vectors = np.repeat(np.ones((1, 8), np.float32), 3000, axis=0)
    table = table.set_column(1, "embedding", pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 8))
    docs = create(db, options=APART)
    for start in range(0, 3000, 500):
        docs.add(table.slice(start, 500))
        docs.flush()
    docs.delete(keys=list(range(0, 3000, 2)))
    docs.heal()
    assert rows_of(docs)["id"].to_pylist() == list(range(1, 3000, 2))


@pytest.mark.parametrize("n_rows", [0, 1, 3])
def test_a_collection_of_hardly_any_row_is_healed_as_well(db, n_rows):
    docs = create(db, options=APART)
    docs.heal()
    for key in range(n_rows):
        docs.add(make_table(1, start=key))
        docs.flush()
    docs.heal()
    assert len(docs) == n_rows


@pytest.mark.parametrize("n_left", [0, 1])
def test_segments_all_of_whose_rows_died_are_gone_after_healing(db, root, n_left):
    docs = scattered(db, 3, 200)
    docs.delete(keys=list(range(600 - 200 * n_left)))
    assert docs.stats().segments == 3
    docs.heal()
    assert docs.stats().segments == n_left
    assert len(list(root.rglob("*.drift"))) == n_left
    assert len(docs) == 200 * n_left
