from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.topk import Heaps, heap_precedes, heap_replace_root
from tests import oracle

DISTANCES = st.sampled_from([0.0, 0.5, 1.0, 1.0, 2.0, np.inf, -np.inf, np.nan]) | st.floats(width=32)


def offer_all(heaps, candidates):
    for distance, row_id in candidates:
        value = np.float32(distance)
        if heap_precedes(value, row_id, heaps.distances[0, 0], heaps.ids[0, 0]):
            heap_replace_root(heaps.distances[0], heaps.ids[0], value, row_id)


@given(distances=st.lists(DISTANCES, max_size=40), k=st.integers(1, 12), seed=st.randoms())
def test_a_heap_keeps_the_best_whatever_the_order_of_arrival(distances, k, seed):
    candidates = [(distance, row_id) for row_id, distance in enumerate(distances)]
    want = oracle.best(candidates, k)
    seed.shuffle(candidates)
    heaps = Heaps.empty(1, k)
    offer_all(heaps, candidates)
    ids, kept = heaps.sorted()
    assert [(float(d), int(i)) for d, i in zip(kept[0], ids[0], strict=True)] == want


def test_sorting_leaves_the_heaps_alone():
    heaps = Heaps.empty(2, 3)
    offer_all(heaps, [(3, 1), (1, 2), (2, 3)])
    before = heaps.distances.copy(), heaps.ids.copy()
    heaps.sorted()
    np.testing.assert_array_equal(heaps.distances, before[0])
    np.testing.assert_array_equal(heaps.ids, before[1])


def test_unfilled_heaps_hold_infinity_and_minus_one():
    ids, distances = Heaps.empty(2, 3).sorted()
    assert ids.dtype == np.int64
    assert distances.dtype == np.float32
    assert ids.tolist() == [[-1] * 3] * 2
    assert np.isinf(distances).all()


def test_no_queries_are_fine():
    assert Heaps.empty(0, 5).sorted()[0].shape == (0, 5)


@pytest.mark.parametrize(
    ("distances", "ids"),
    [
        (np.zeros((1, 0), np.float32), np.zeros((1, 0), np.int64)),
        (np.zeros((1, 2), np.float64), np.zeros((1, 2), np.int64)),
        (np.zeros((1, 2), np.float32), np.zeros((1, 3), np.int64)),
        (np.zeros((2, 2), np.float32)[:, :1], np.zeros((2, 1), np.int64)),
        (np.broadcast_to(np.float32(0), (1, 1)), np.zeros((1, 1), np.int64)),
    ],
    ids=["no room", "float64", "shapes differ", "strided", "read-only"],
)
def test_heaps_refuse_arrays_that_scans_cannot_fill(distances, ids):
    with pytest.raises(ValueError, match=r"distances|ids|room"):
        Heaps(distances, ids)
