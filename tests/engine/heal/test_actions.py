"""What each action does to the rows of buckets that are made as it needs them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import drift_arrow as drift
from drift_arrow.engine.build import Targets, build_segment
from drift_arrow.engine.heal.compact import keep_buckets, propose_compaction, propose_rewrites
from drift_arrow.engine.heal.cost_model import CostModel, fitted
from drift_arrow.engine.heal.merge import merge, propose_merges
from drift_arrow.engine.heal.purge import propose_purges
from drift_arrow.engine.heal.recentre import propose_regions, recentre
from drift_arrow.engine.heal.relocation import Move
from drift_arrow.engine.heal.source import whole
from drift_arrow.engine.heal.split import propose_splits, split
from drift_arrow.engine.heal.survey import Survey
from tests.engine.heal.worlds import BY_HAND, core_of, scattered, survey_of
from tests.tables import create, make_table, matrix_of

METRICS = pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])


def bucketed(db: drift.Database, owner: np.ndarray, *, metric: str = "l2") -> drift.Collection:
    """One segment in which row i is in bucket `owner[i]`, around the mean of its rows."""
    table = make_table(len(owner))
    docs = create(db, metric=metric, options=BY_HAND)
    docs.add(table)
    docs.flush()
    core = core_of(docs)

    def choose(base):
        (view,) = base.segments
        source = whole(view)
        keys = view.columns(["id"]).column(0).to_numpy()
        vectors = matrix_of(table)
        if metric == "cosine":
            vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        centroids = np.stack([vectors[owner == number].mean(axis=0) for number in range(owner.max() + 1)])
        if metric == "cosine":
            centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        targets = Targets(centroids=centroids.astype(np.float32), owner=owner[keys].astype(np.uint32))
        built = build_segment([source], targets, core.spec, core.options, view.entry.seqno_range)
        return Move(sources=(source,), built=built)

    core.maintenance.move(choose, lambda *_: None)
    return docs


def nearest(survey: Survey, vectors: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    products = vectors.astype(np.float64) @ centroids.T.astype(np.float64)
    if survey.is_cosine:
        return products.argmax(axis=1)
    return ((centroids.astype(np.float64) ** 2).sum(axis=1) - 2 * products).argmin(axis=1)


def clusters(n_rows: int) -> np.ndarray:
    """The cluster that `make_table` drew each row from."""
    return np.random.default_rng(0).integers(16, size=n_rows)


@METRICS
def test_a_split_parts_a_bucket_and_moves_only_rows_to_where_they_are_nearest(db, metric):
    owner = clusters(3000)
    owner[owner < 4] = 0
    _, owner = np.unique(owner, return_inverse=True)
    survey = survey_of(bucketed(db, owner, metric=metric))
    survey = replace(survey, model=CostModel(per_ranked=0.001, per_scanned=0.1, per_row=0.1))
    large = int(survey.live.argmax())
    assert large in {int(proposal.buckets[0]) for proposal in propose_splits(survey)}
    change = split(survey, large, 0, np.zeros(len(survey.live), bool))
    assert change is not None
    assert np.count_nonzero(change.bucket == large) == survey.live[large]
    assert len(set(zip(change.bucket.tolist(), change.row.tolist(), strict=True))) == len(change)
    stolen = np.flatnonzero(change.bucket != large)
    vectors = survey.vectors_of(change.bucket[stolen], change.row[stolen])
    to_own = survey.centroids[change.bucket[stolen]]
    to_new = change.centroids[change.owner[stolen]]
    pairs = np.stack([to_own, to_new], axis=1)
    chosen = [nearest(survey, vector[np.newaxis], pair)[0] for vector, pair in zip(vectors, pairs, strict=True)]
    assert all(chosen)


def test_rows_that_cannot_be_parted_are_not_split(db):
    survey = survey_of(bucketed(db, np.zeros(600, dtype=np.int64)))
    same = np.ones((600, 8), np.float32)
    same_vectors: Any = _Same(survey.snapshot, same)
    survey = replace(survey, snapshot=same_vectors)
    assert split(survey, 0, 0, np.zeros(1, bool)) is None


class _Same:
    """A snapshot all of whose vectors are equal."""

    def __init__(self, snapshot, vectors) -> None:
        self.segments = tuple(_SameView(view, vectors) for view in snapshot.segments)


class _SameView:
    def __init__(self, view, vectors) -> None:
        self.reader = view.reader
        self._vectors = vectors

    def vectors(self, rows):
        return self._vectors[rows]


@METRICS
def test_a_merge_scatters_a_small_bucket_over_its_nearest_neighbours(db, metric):
    # the first two hundred rows are in buckets of four
    owner = np.where(np.arange(3000) < 200, 16 + np.arange(3000) // 4, clusters(3000))
    survey = survey_of(bucketed(db, owner, metric=metric))
    proposals = propose_merges(survey)
    assert proposals
    assert all(survey.live[proposal.buckets].max() == 4 for proposal in proposals)
    buckets = proposals[0].buckets
    change = merge(survey, buckets)
    assert len(change) == proposals[0].rows == 4 * len(buckets)
    assert len(change.centroids) == len(buckets) - 1
    dissolved = change.bucket == buckets[-1]
    vectors = survey.vectors_of(change.bucket[dissolved], change.row[dissolved])
    assert np.array_equal(change.owner[dissolved], nearest(survey, vectors, change.centroids))


def test_dead_rows_are_purged_where_queries_pass_over_them(db):
    docs = bucketed(db, clusters(3000))
    docs.delete(keys=np.flatnonzero(clusters(3000) == 3)[:150].tolist())
    survey = survey_of(docs)
    (proposal,) = propose_purges(survey, 0.0)
    assert survey.statistics.dead[proposal.buckets].sum() == 150
    change = keep_buckets(survey, proposal.buckets)
    assert survey.gain(change) > 0
    assert len(change) == proposal.rows == change.new_live().sum()


@METRICS
def test_buckets_that_are_kept_hold_the_rows_that_they_held(db, metric):
    docs = bucketed(db, clusters(800), metric=metric)
    docs.delete(keys=list(range(100)))
    survey = survey_of(docs)
    buckets = np.flatnonzero(survey.live)[::-1].astype(np.int64)
    change = keep_buckets(survey, buckets)
    for number in range(len(change.centroids)):
        assert len(set(change.bucket[change.owner == number].tolist())) == 1
    assert change.left_live(survey.live).sum() == 0
    vectors = survey.vectors_of(change.bucket, change.row)
    means = np.stack([vectors[change.owner == number].mean(axis=0) for number in range(len(change.centroids))])
    if metric == "cosine":
        means /= np.linalg.norm(means, axis=1, keepdims=True)
    assert np.allclose(change.centroids, means, atol=0.1)


def test_buckets_of_one_centroid_become_one(db):
    survey = survey_of(bucketed(db, clusters(500)))
    centroids = survey.centroids.copy()
    centroids[3] = centroids[9]
    change = keep_buckets(replace(survey, centroids=centroids), np.arange(16))
    assert len(change.centroids) == 15


@METRICS
def test_a_region_holds_as_many_buckets_as_a_fresh_collection_would(db, metric):
    survey = survey_of(scattered(db, 6, 500, metric=metric))
    (proposal, *_) = propose_regions(survey)
    change = recentre(survey, proposal.buckets, 0)
    assert len(change) == survey.live[proposal.buckets].sum()
    assert len(change.centroids) <= round(len(change) / survey.statistics.target_rows)
    assert change.new_live().min() > 0
    assert survey.gain(change) > 0


def test_the_smallest_segments_become_one_first(db):
    docs = scattered(db, 1, 4000)
    for start in range(4000, 4600, 200):
        docs.add(make_table(200, start=start))
        docs.flush()
    (proposal,) = propose_compaction(survey_of(docs))
    assert proposal.rows == 600


def test_segments_are_rewritten_until_a_fifth_of_the_rows_is_dead(db):
    docs = scattered(db, 4, 500)
    docs.delete(keys=[*range(400), *range(500, 600)])
    (first,) = propose_rewrites(survey_of(docs))
    assert first.rows == 100
    assert first.is_due


def test_a_gain_is_what_the_table_costs_less_afterwards(db):
    docs = scattered(db, 4, 1000)
    before = survey_of(docs)
    buckets = np.arange(len(before.live))
    change = recentre(before, buckets, 0)
    expected = before.gain(change)
    docs.heal()
    after = survey_of(docs)
    without_segments = (before.query_cost - 4 * before.model.per_segment) - (after.query_cost - after.model.per_segment)
    assert expected == pytest.approx(without_segments, rel=0.5)


def test_a_bucket_costs_more_the_more_rows_it_has_and_nothing_without_live_ones():
    model = CostModel(per_ranked=0.01, per_scanned=0.3, per_row=0.01)
    rows = np.array([100, 100, 100, 200, 100])
    live = np.array([100, 60, 20, 200, 0])
    assert model.scan(rows, live).tolist() == pytest.approx([1.3, 1.3, 0.7, 2.3, 0])


def test_the_constants_of_this_machine_are_measured_once():
    model = fitted(24)
    assert min(model.per_ranked, model.per_scanned, model.per_row) > 0
    assert fitted(24) is model
