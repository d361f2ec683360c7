from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.grouped_heap import Groups
from drift_arrow.kernels.sq8 import sq8_encode
from drift_arrow.kernels.topk import Heaps
from tests import oracle

METRICS = ["l2", "cosine", "dot"]


class Segment:
    """Rows in buckets of the given sizes, their codes, and what a scan needs to know about them."""

    def __init__(self, sizes, dim, *, first_row=0, seed=0):
        rng = np.random.default_rng(seed)
        n = sum(sizes)
        self.matrix = rng.standard_normal((n, dim)).astype(np.float32)
        self.offsets = np.cumsum([0, *sizes]).astype(np.int64)
        self.sq8 = sq8_encode(self.matrix, self.offsets)
        bucket = np.repeat(np.arange(len(sizes)), sizes)
        self.decoded = self.sq8.lo[bucket].astype(float) + self.sq8.step[bucket].astype(float) * self.sq8.codes
        self.bucket = bucket
        norms = np.zeros(first_row + n, np.float32)
        norms[first_row:] = oracle.squares(self.matrix.astype(float))
        self.norms = norms[first_row:].astype(float)
        self.first_row = first_row
        self.buckets = BucketArrays(
            code_address=np.uint64(self.sq8.codes.ctypes.data) + self.offsets[:-1].astype(np.uint64) * np.uint64(dim),
            rows=np.array(sizes, np.uint32),
            first_row=first_row + self.offsets[:-1],
            lo=self.sq8.lo,
            step=self.sq8.step,
            norms=norms,
        )

    def scan(self, queries, probes, metric, k, allowed=None):
        heaps = Heaps.empty(len(queries), k)
        adc_scan(queries, np.array(probes, np.int64), self.buckets, allowed, metric, heaps)
        return heaps.sorted()

    def check(self, found, query, metric, rows):
        """Compare one query's answer with the distances of the rows that it may hold."""
        ids, distances = found
        n = min(len(rows), len(ids))
        want = oracle.adc(query, self.decoded[rows], self.norms[rows], metric)
        by_id = dict(zip((self.first_row + np.array(rows, np.int64)).tolist(), want, strict=True))
        assert len({*ids[:n].tolist()}) == n
        assert (ids[n:] == -1).all()
        atol = self.code_rounding(query) * 0.1 + 1e-6 * np.abs(want).max(initial=1)
        np.testing.assert_allclose(distances[:n], [by_id[row] for row in ids[:n].tolist()], rtol=0, atol=atol)
        np.testing.assert_allclose(distances[:n], np.sort(want)[:n], rtol=0, atol=atol)

    def code_rounding(self, query):
        """Standard deviation of an inner product due to the rounding of codes, which is uniform over a step."""
        return float(np.sqrt(oracle.squares(query.astype(float) * self.sq8.step).max() / 12))


def random_queries(n, dim):
    return np.random.default_rng(99).standard_normal((n, dim)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 96, 100, 127, 129, 768, 1023, 1024, 1025])
def test_distances_equal_the_oracle_at_every_dimension(metric, dim):
    segment, query = Segment([70, 3], dim), random_queries(1, dim)
    ids, distances = segment.scan(query, [[0, 1]], metric, 80)
    segment.check((ids[0], distances[0]), query[0], metric, range(73))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025])
def test_distances_equal_the_oracle_at_every_bucket_size(metric, n):
    segment, query = Segment([n], 10, first_row=5), random_queries(1, 10)
    ids, distances = segment.scan(query, [[0]], metric, 20)
    segment.check((ids[0], distances[0]), query[0], metric, range(n))


@given(
    sizes=st.lists(st.integers(0, 90), min_size=1, max_size=5),
    first_row=st.integers(0, 70),
    selectivity=st.sampled_from([0, 0.02, 0.2, 0.5, 1]),
    data=st.data(),
)
def test_only_allowed_rows_of_probed_buckets_are_found(sizes, first_row, selectivity, data):
    segment, query = Segment(sizes, 4, first_row=first_row), random_queries(1, 4)
    probes = data.draw(st.lists(st.integers(0, len(sizes) - 1), unique=True, max_size=len(sizes)))
    mask = np.random.default_rng(sum(sizes)).random(first_row + sum(sizes)) < selectivity
    found = segment.scan(query, [[*probes, -1]], "l2", 30, bitmap.from_mask(mask))
    rows = [row for row, b in enumerate(segment.bucket.tolist()) if b in probes and mask[first_row + row]]
    segment.check((found[0][0], found[1][0]), query[0], "l2", rows)


@pytest.mark.parametrize("metric", METRICS)
def test_each_query_scans_its_own_buckets_in_any_order(metric):
    segment, queries = Segment([30, 40, 50], 16), random_queries(3, 16)
    probes = [[2, 0], [1, -1], [-1, 0]]
    ids, distances = segment.scan(queries, probes, metric, 100)
    for q, probed in enumerate(probes):
        rows = np.flatnonzero(np.isin(segment.bucket, probed)).tolist()
        segment.check((ids[q], distances[q]), queries[q], metric, rows)


@pytest.mark.parametrize("metric", METRICS)
def test_a_query_has_the_same_answer_alone_and_in_a_batch(metric):
    segment, queries = Segment([64, 10], 33), random_queries(4, 33)
    together = segment.scan(queries, [[1, 0]] * 4, metric, 9)
    for q in range(4):
        alone = segment.scan(queries[q : q + 1], [[0, 1]], metric, 9)
        assert alone[0][0].tolist() == together[0][q].tolist()
        assert alone[1][0].tolist() == together[1][q].tolist()


def test_buckets_of_several_segments_are_scanned_in_one_call():
    one, two = Segment([20, 5], 8), Segment([9], 8, first_row=64, seed=1)
    norms = np.zeros(73, np.float32)
    norms[:25], norms[64:] = one.norms, two.norms
    fields = {
        name: np.concatenate([getattr(part.buckets, name) for part in (one, two)])
        for name in ("code_address", "rows", "first_row", "lo", "step")
    }
    heaps = Heaps.empty(1, 34)
    query = random_queries(1, 8)
    adc_scan(query, np.array([[2, 1, 0]]), BucketArrays(**fields, norms=norms), None, "dot", heaps)
    assert sorted(heaps.ids[0].tolist()) == [*range(25), *range(64, 73)]


def test_the_exact_length_of_a_row_enters_its_l2_distance():
    segment, query = Segment([4], 2), random_queries(1, 2)
    before = segment.scan(query, [[0]], "l2", 4)
    segment.buckets.norms[2] += 10
    after = segment.scan(query, [[0]], "l2", 4)
    assert after[0][0, -1] == 2
    assert after[1][0, -1] == pytest.approx(before[1][0, before[0][0] == 2].item() + 10, abs=1e-5)


@pytest.mark.parametrize("scale", [1e-30, 1e-10, 1e10, 1e18])
@pytest.mark.parametrize("dim", [1, 128, 4096, 65536])
def test_weights_of_every_magnitude_keep_their_precision(scale, dim):
    segment = Segment([3], dim)
    query = (random_queries(1, dim) * scale).astype(np.float32)
    query[0, 0] *= 50
    ids, distances = segment.scan(query, [[0]], "dot", 3)
    want = oracle.adc(query[0], segment.decoded, segment.norms, "dot")
    np.testing.assert_allclose(distances[0], want[ids[0]], rtol=1e-6, atol=segment.code_rounding(query[0]))


def test_the_largest_codes_and_weights_do_not_overflow():
    for dim in (1, 256, 257, 1024, 65536):
        codes = np.full((1, dim), 255, np.uint8)
        ones = np.ones((1, dim), np.float32)
        buckets = BucketArrays(
            code_address=np.array([codes.ctypes.data], np.uint64),
            rows=np.ones(1, np.uint32),
            first_row=np.zeros(1, np.int64),
            lo=np.zeros_like(ones),
            step=ones,
            norms=np.zeros(1, np.float32),
        )
        heaps = Heaps.empty(1, 1)
        adc_scan(ones, np.zeros((1, 1), np.int64), buckets, None, "dot", heaps)
        assert heaps.distances[0, 0] == pytest.approx(-255 * dim, rel=1e-3)


def test_equal_rows_go_to_the_lower_number():
    segment = Segment([64, 36], 3)
    segment.sq8.codes[:] = 7
    segment.buckets.lo[:] = 0
    segment.buckets.step[:] = 1
    ids, _ = segment.scan(np.ones((1, 3), np.float32), [[1, 0]], "dot", 5)
    assert ids.tolist() == [[0, 1, 2, 3, 4]]


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_a_scan_keeps_rows_from_a_floor_on_with_so_many_of_a_group(limit):
    segment, queries = Segment([90, 200], 16), random_queries(3, 16)
    ids, distances = segment.scan(queries, [[0, 1]] * 3, "l2", 290)
    floors = distances[:, 20].copy()
    of_row = (np.arange(290) % 23).astype(np.int32)
    heaps, groups = Heaps.empty(3, 30), Groups.empty(3, 30, of_row, 23, limit)
    probes = np.array([[0, 1]] * 3)
    adc_scan(queries, probes, segment.buckets, None, "l2", heaps, floors=floors, groups=groups)
    for q in range(3):
        kept: list[int] = []
        for row in ids[q, 20:].tolist():
            if sum(of_row[other] == of_row[row] for other in kept) < limit:
                kept.append(row)
        assert heaps.sorted()[0][q].tolist() == (kept + [-1] * 30)[:30]


def test_no_probes_and_no_queries_find_nothing():
    segment = Segment([4], 3)
    assert segment.scan(random_queries(2, 3), [[], []], "l2", 2)[0].tolist() == [[-1, -1], [-1, -1]]
    assert segment.scan(random_queries(0, 3), np.empty((0, 1)), "l2", 2)[0].shape == (0, 2)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"queries": np.zeros((1, 4), np.float32)}, "queries"),
        ({"queries": np.zeros((1, 6), np.float32)[:, ::2]}, "queries"),
        ({"probes": np.array([[2]])}, "probes"),
        ({"probes": np.array([[-2]])}, "probes"),
        ({"probes": np.array([[0], [0]])}, "probes"),
        ({"allowed": np.zeros(8, np.uint8)}, "allowed"),
        ({"metric": "l1"}, "metric"),
        ({"heaps": Heaps.empty(2, 1)}, "heaps"),
    ],
    ids=["other dim", "strided", "no such bucket", "below -1", "too many", "short bitmap", "unknown metric", "heaps"],
)
def test_wrong_arguments_are_refused(change, named):
    right = {
        "queries": np.zeros((1, 3), np.float32),
        "probes": np.zeros((1, 1), np.int64),
        "buckets": Segment([60, 5], 3).buckets,
        "allowed": None,
        "metric": "l2",
        "heaps": Heaps.empty(1, 1),
    }
    with pytest.raises(ValueError, match=named):
        adc_scan(**(right | change))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code_address", np.zeros(1, np.int64)),
        ("rows", np.zeros(2, np.uint32)),
        ("rows", np.full(1, 5, np.uint32)),
        ("first_row", np.array([-1])),
        ("step", np.zeros((1, 2), np.float32)),
        ("norms", np.zeros(3, np.float64)),
    ],
    ids=["signed address", "other length", "past the norms", "negative row", "other dim", "float64 norms"],
)
def test_buckets_that_a_scan_could_leave_are_refused(field, value):
    right = {
        "code_address": np.zeros(1, np.uint64),
        "rows": np.full(1, 4, np.uint32),
        "first_row": np.zeros(1, np.int64),
        "lo": np.zeros((1, 3), np.float32),
        "step": np.zeros((1, 3), np.float32),
        "norms": np.zeros(4, np.float32),
    }
    with pytest.raises(ValueError, match=rf"{field}|norm"):
        BucketArrays(**(right | {field: value}))
