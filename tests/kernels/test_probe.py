from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.bucket_order import N_BINS
from drift_arrow.kernels.bucket_table import BucketTable
from drift_arrow.kernels.probe import StopRule, probe_buckets
from drift_arrow.kernels.probing import count_allowed, cumulative_shares
from drift_arrow.kernels.rank import rank_buckets
from drift_arrow.kernels.sq8 import sq8_encode
from tests import oracle

METRICS = ["l2", "cosine", "dot"]
DIM = 24


class Table:
    """Rows around the centroids of their buckets."""

    def __init__(self, n_buckets, rows_per_bucket=30, *, dim=DIM, seed=0):
        random = np.random.default_rng(seed)
        centres = random.standard_normal((n_buckets, dim))
        sizes = random.integers(0, 2 * rows_per_bucket, n_buckets)
        self.bucket = np.repeat(np.arange(n_buckets), sizes)
        rows = centres[self.bucket] + 0.4 * random.standard_normal((sizes.sum(), dim))
        self.rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        self.centroids = (centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)
        offsets = np.cumsum([0, *sizes])
        self.sq8 = sq8_encode(self.rows, offsets)
        self.decoded = (
            self.sq8.lo[self.bucket].astype(float) + self.sq8.step[self.bucket].astype(float) * self.sq8.codes
        )
        self.buckets = BucketArrays(
            code_address=np.uint64(self.sq8.codes.ctypes.data) + offsets[:-1].astype(np.uint64) * np.uint64(dim),
            rows=sizes.astype(np.uint32),
            first_row=offsets[:-1].astype(np.int64),
            lo=self.sq8.lo,
            step=self.sq8.step,
            norms=oracle.squares(self.rows.astype(float)).astype(np.float32),
        )
        self.queries = (0.5 * random.standard_normal((20, dim)) + centres[random.integers(0, n_buckets, 20)]).astype(
            np.float32
        )

    def counts(self, allowed=None):
        return count_allowed(self.buckets.first_row, self.buckets.rows, allowed)

    def probe(self, queries, rule, *, metric="l2", allowed=None, n_candidates=40):
        counts = None if allowed is None else self.counts(allowed)
        return probe_buckets(queries, self.table(), counts, allowed, metric, rule, n_candidates)

    def table(self):
        return BucketTable(centroids=self.centroids, buckets=self.buckets)

    def nearest(self, query, metric, mask, k):
        """Rows whose true distance is within the k best of those that a mask lets pass."""
        rows = np.flatnonzero(mask)
        distances = oracle.distances(self.rows[rows], query, metric)
        return rows[np.argsort(distances, kind="stable")[:k]].tolist()


def found(probed, q):
    return [row for row in probed.ids[q].tolist() if row >= 0]


@pytest.fixture(scope="module")
def table():
    return Table(60)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_probe", [1, 7, 60])
def test_the_nearest_rows_of_the_nearest_buckets_are_found(table, metric, n_probe):
    probed = table.probe(table.queries, StopRule(k=5, first=n_probe, n_probe=n_probe), metric=metric)
    order, _ = rank_buckets(table.queries, table.centroids, metric)
    for q, query in enumerate(table.queries):
        n = int(probed.counts[q])
        assert n >= n_probe
        assert probed.order[q, :n].tolist() == order[q, :n].tolist()
        mask = np.isin(table.bucket, order[q, :n])
        assert {*table.nearest(query, metric, mask, 5)} <= {*found(probed, q)}


@pytest.mark.parametrize("metric", METRICS)
def test_few_rows_beyond_the_nearest_are_left_to_rescore(table, metric):
    probed = table.probe(table.queries, StopRule(k=10, first=60, n_probe=60), metric=metric, n_candidates=500)
    assert np.mean([len(found(probed, q)) for q in range(len(table.queries))]) < 20


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("share", [0.3, 0.8, 0.999])
def test_a_query_stops_where_the_expected_share_is_reached(table, metric, share):
    rule = StopRule(k=5, first=2, share=share, spread=0.3, effective_dim=8.0)
    probed = table.probe(table.queries, rule, metric=metric)
    order, distances = rank_buckets(table.queries, table.centroids, metric)
    lengths = np.sqrt(oracle.squares(table.queries.astype(float)))
    for q in range(len(table.queries)):
        n = int(probed.counts[q])
        mask = np.isin(table.bucket, order[q, :n])
        rows = np.flatnonzero(mask)
        radius = np.sort(oracle.distances(table.decoded[rows], table.queries[q], metric))[4] * (
            1 + (metric == "cosine")
        )
        # codes are off by little, and the k-th distance of the last look was farther
        for factor, is_enough in ((1.02, False), (0.98, True)):
            reach = radius * factor if radius > 0 else radius / factor
            shares = cumulative_shares(
                distances[q : q + 1],
                table.counts()[order[q : q + 1]],
                np.array([reach]),
                lengths[q : q + 1],
                metric,
                spread=0.3,
                effective_dim=8.0,
            )[0]
            if is_enough and n < 60:
                assert shares[n - 1] >= share - 0.02
            if not is_enough and n > 8:
                # four times the buckets of the look before at most
                assert shares[max(0, n // 4 - 1)] <= share + 0.02


@pytest.mark.parametrize("metric", METRICS)
def test_a_filter_that_keeps_the_near_buckets_does_not_end_a_search_earlier(table, metric):
    rule = StopRule(k=5, first=2, share=0.3, spread=0.3, effective_dim=2.0)
    free = table.probe(table.queries, rule, metric=metric)
    for q, query in enumerate(table.queries):
        allowed = bitmap.from_mask(np.isin(table.bucket, free.order[q, : free.counts[q]]))
        filtered = table.probe(query[np.newaxis], rule, metric=metric, allowed=allowed)
        assert filtered.counts[0] >= free.counts[q]
        assert {*found(filtered, 0)} == {*found(free, q)}


def test_a_share_of_one_scans_every_bucket(table):
    probed = table.probe(table.queries, StopRule(k=5, first=2, share=1.0, spread=0.3, effective_dim=8.0))
    assert (probed.counts == 60).all()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rule", [StopRule(k=7, first=1, n_probe=9), StopRule(k=7, first=2, share=0.9, spread=0.3)])
def test_a_query_finds_the_same_rows_alone_and_in_a_batch(table, metric, rule):
    together = table.probe(table.queries, rule, metric=metric)
    for q in range(len(table.queries)):
        alone = table.probe(table.queries[q : q + 1], rule, metric=metric)
        assert alone.counts[0] == together.counts[q]
        assert sorted(found(alone, 0)) == sorted(found(together, q))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [64, 70, 130])
def test_queries_that_share_buckets_find_the_same_rows_as_alone(metric, dim):
    table = Table(12, 90, dim=dim)
    queries = np.repeat(table.queries, 3, axis=0) + np.linspace(0, 0.3, 60, dtype=np.float32)[:, np.newaxis]
    rule = StopRule(k=6, first=2, share=0.9, spread=0.3, effective_dim=8.0)
    mask = np.random.default_rng(1).random(len(table.rows)) < 0.6
    for allowed in (None, bitmap.from_mask(mask)):
        together = table.probe(queries, rule, metric=metric, allowed=allowed)
        for q in range(len(queries)):
            alone = table.probe(queries[q : q + 1], rule, metric=metric, allowed=allowed)
            assert alone.counts[0] == together.counts[q]
            assert sorted(found(alone, 0)) == sorted(found(together, q))


@given(selectivity=st.sampled_from([0.005, 0.05, 0.3, 0.9]), seed=st.integers(0, 1000), k=st.integers(1, 12))
def test_k_allowed_rows_are_found_wherever_they_are(table, selectivity, seed, k):
    mask = np.random.default_rng(seed).random(len(table.rows)) < selectivity
    probed = table.probe(table.queries[:4], StopRule(k=k, first=1, n_probe=1), allowed=bitmap.from_mask(mask))
    for q in range(4):
        rows = found(probed, q)
        assert mask[rows].all()
        assert len({*rows}) == len(rows) >= min(k, mask.sum())


def test_many_rows_at_one_place_leave_the_lowest_numbers():
    table = Table(3, 400)
    table.sq8.codes[:] = 9
    table.buckets.lo[:] = 1
    table.buckets.step[:] = 0
    table.buckets.norms[:] = 1
    probed = table.probe(table.queries[:2], StopRule(k=3, first=3, n_probe=3), n_candidates=20)
    assert [sorted(found(probed, q)) for q in range(2)] == [[*range(20)]] * 2


@pytest.mark.parametrize("n_buckets", [1, 2, N_BINS, 3000])
@pytest.mark.parametrize("spread", ["even", "one far", "all equal", "crowded"])
def test_buckets_are_ranked_however_their_distances_are_spread(n_buckets, spread):
    random = np.random.default_rng(n_buckets)
    place = {
        "even": random.random(n_buckets),
        "one far": np.append(random.random(n_buckets - 1) * 1e-3, 1e9),
        "all equal": np.ones(n_buckets),
        "crowded": random.integers(0, 3, n_buckets) + 1e-4 * random.random(n_buckets),
    }[spread]
    centroids = place.astype(np.float32)[:, np.newaxis]
    empty = np.zeros((n_buckets, 1), np.float32)
    buckets = BucketArrays(
        code_address=np.zeros(n_buckets, np.uint64),
        rows=np.zeros(n_buckets, np.uint32),
        first_row=np.zeros(n_buckets, np.int64),
        lo=empty,
        step=empty,
        norms=np.zeros(0, np.float32),
    )
    query = np.zeros((1, 1), np.float32)
    table = BucketTable(centroids=centroids, buckets=buckets)
    probed = probe_buckets(query, table, None, None, "l2", StopRule(k=1, first=1, n_probe=1), 1)
    want, _ = rank_buckets(query, centroids, "l2")
    # no bucket has a row, so all are looked at
    assert probed.counts.tolist() == [n_buckets]
    assert probed.order[0].tolist() == want[0].tolist()


def test_no_queries_find_nothing(table):
    probed = table.probe(table.queries[:0], StopRule(k=1, first=1, n_probe=1))
    assert probed.ids.shape == (0, 40)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"queries": np.zeros((1, DIM + 1), np.float32)}, "queries"),
        ({"counts": np.zeros(60, np.int32)}, "counts"),
        ({"allowed": np.zeros(3, np.uint8)}, "allowed"),
        ({"metric": "l1"}, "metric"),
        ({"n_candidates": 4}, "candidates"),
        ({"stop": StopRule(k=0, first=1)}, "k must"),
        ({"stop": StopRule(k=5, first=0)}, "first"),
        ({"stop": StopRule(k=5, first=1, n_probe=-1)}, "n_probe"),
        ({"stop": StopRule(k=5, first=1, spread=np.inf)}, "spread"),
        ({"stop": StopRule(k=5, first=1, effective_dim=0.0)}, "effective_dim"),
    ],
)
def test_wrong_arguments_are_refused(table, change, named):
    right = {
        "queries": table.queries,
        "table": table.table(),
        "counts": table.counts(),
        "allowed": None,
        "metric": "l2",
        "stop": StopRule(k=5, first=1, n_probe=1),
        "n_candidates": 40,
    }
    with pytest.raises(ValueError, match=named):
        probe_buckets(**(right | change))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"centroids": np.zeros((59, DIM), np.float32)}, "centroids"),
        ({"centroids": np.zeros((60, DIM))}, "centroids"),
        ({"touches": np.zeros(59, np.uint32)}, "touches"),
        ({"touches": np.zeros(60, np.int64)}, "touches"),
    ],
)
def test_a_table_of_other_buckets_is_refused(table, change, named):
    right = {"centroids": table.centroids, "buckets": table.buckets}
    with pytest.raises(ValueError, match=named):
        BucketTable(**(right | change))


def test_what_an_earlier_call_left_in_memory_changes_nothing(table):
    """Calls of a thread share memory: other shapes and metrics in between must not show."""
    rule = StopRule(k=5, first=2, share=0.9, spread=0.3, effective_dim=8.0)
    want = {metric: table.probe(table.queries[:1], rule, metric=metric) for metric in METRICS}
    other = Table(7, 200, dim=3, seed=1)
    for metric in METRICS:
        other.probe(other.queries, StopRule(k=2, first=3, n_probe=3))
        found = table.probe(table.queries[:1], rule, metric=metric)
        assert found.ids.tolist() == want[metric].ids.tolist()
        assert found.counts.tolist() == want[metric].counts.tolist()


def test_threads_do_not_share_memory(table):
    rule = StopRule(k=5, first=2, share=0.9, spread=0.3, effective_dim=8.0)
    want = [table.probe(query[np.newaxis], rule).ids.tolist() for query in table.queries]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(10):
            found = list(pool.map(lambda query: table.probe(query[np.newaxis], rule).ids.tolist(), table.queries))
            assert found == want
