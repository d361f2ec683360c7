from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.distance import exact_distances
from drift_arrow.kernels.grouped_heap import Groups
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps
from tests import oracle


def best_of_groups(candidates, k, limit):
    """The k first by (distance, id) with at most `limit` of a group, filled up with (inf, -1)."""
    kept: list[tuple[float, int]] = []
    counts: dict[int, int] = {}
    for distance, row_id, group in sorted(candidates):
        counts[group] = counts.get(group, 0) + 1
        if counts[group] <= limit and len(kept) < k:
            kept.append((distance, row_id))
    return kept + [(np.inf, -1)] * (k - len(kept))


def line(values):
    """Rows of one dimension, whose squared distance from 0 is easy to see."""
    return np.asarray(values, np.float32)[:, np.newaxis]


def found(heaps, q=0):
    ids, distances = heaps.sorted()
    return [(float(d), int(i)) for d, i in zip(distances[q], ids[q], strict=True)]


@given(
    rows=st.lists(st.tuples(st.sampled_from([0, 1, 1, 2, 3, 5, 8, 1e30]), st.integers(0, 5)), max_size=60),
    k=st.integers(1, 12),
    limit=st.integers(1, 4),
)
def test_a_scan_keeps_the_best_rows_with_at_most_so_many_of_a_group(rows, k, limit):
    matrix, groups = line([value for value, _ in rows]), np.array([group for _, group in rows], np.int32)
    queries = line([0.0, 2.0])
    heaps, grouped = Heaps.empty(2, k), Groups.empty(2, k, groups, 6, limit)
    exact_scan(matrix, 0, None, queries, "l2", heaps, groups=grouped)
    for q in range(2):
        distances = exact_distances(matrix, queries[q], "l2")
        candidates = [(float(distances[row]), row, int(groups[row])) for row in range(len(rows))]
        assert found(heaps, q) == best_of_groups(candidates, k, limit)


@given(seed=st.integers(0, 2**32), k=st.integers(1, 40), limit=st.integers(1, 10), n_groups=st.integers(1, 50))
def test_several_scans_of_allowed_rows_with_ids_of_their_own_fill_one_grouped_heap(seed, k, limit, n_groups):
    rng = np.random.default_rng(seed)
    matrix, query = rng.random((200, 3), np.float32), rng.random((1, 3), np.float32)
    ids, groups = rng.permutation(500)[:200], rng.integers(n_groups, size=500).astype(np.int32)
    mask = rng.random(200) < 0.7
    heaps, grouped = Heaps.empty(1, k), Groups.empty(1, k, groups, n_groups, limit)
    for start in (100, 0):
        part = slice(start, start + 100)
        bits = bitmap.from_mask(mask[part])
        exact_scan(matrix[part], 0, bits, query, "l2", heaps, row_ids=ids[part], groups=grouped)
    distances = exact_distances(matrix, query[0], "l2")
    candidates = [(float(distances[row]), int(ids[row]), int(groups[ids[row]])) for row in np.flatnonzero(mask)]
    assert found(heaps) == best_of_groups(candidates, k, limit)


@pytest.mark.parametrize(("floor", "ceiling"), [(4, np.inf), (-np.inf, 9), (1, 16), (2, 3)])
def test_only_rows_from_the_floor_to_the_ceiling_enter(floor, ceiling):
    heaps = Heaps.empty(1, 8, ceiling)
    exact_scan(line(range(6)), 0, None, line([0]), "l2", heaps, floors=np.full(1, floor, np.float32))
    kept = [row for row in range(6) if floor <= row**2 <= ceiling]
    assert [row for _, row in found(heaps) if row >= 0] == kept


def test_a_ceiling_may_differ_between_queries():
    heaps = Heaps.empty(2, 3, np.array([[1], [5]], np.float32))
    exact_scan(line(range(6)), 0, None, line([0, 0]), "l2", heaps)
    assert heaps.sorted()[0].tolist() == [[0, 1, -1], [0, 1, 2]]


def test_rows_take_ids_of_their_own():
    heaps = Heaps.empty(1, 2)
    exact_scan(line([3, 1, 2]), 0, None, line([0]), "l2", heaps, row_ids=np.array([70, 5, 9]))
    assert found(heaps) == oracle.best([(9.0, 70), (1.0, 5), (4.0, 9)], 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Groups.empty(1, 2, np.array([0, 3], np.int32), 3, 1),
        lambda: Groups.empty(1, 2, np.array([-1], np.int32), 3, 1),
        lambda: Groups.empty(1, 2, np.array([0], np.int64), 3, 1),
        lambda: Groups.empty(1, 2, np.array([0], np.int32), 3, 0),
        lambda: scan_with(groups=Groups.empty(1, 1, np.zeros(2, np.int32), 1, 1)),
        lambda: scan_with(row_ids=np.array([0, 1, -1])),
        lambda: scan_with(row_ids=np.array([0, 1])),
    ],
    ids=["group past the end", "negative group", "int64", "no room", "a row without group", "negative id", "few ids"],
)
def test_groups_and_ids_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match=r"group|ids|of_row"):
        make()


def scan_with(**arguments):
    exact_scan(line([1, 2, 3]), 0, None, line([0]), "l2", Heaps.empty(1, 1), **arguments)
