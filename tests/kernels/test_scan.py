from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import bitmap
from drift_arrow.kernels.distance import exact_distances
from drift_arrow.kernels.scan import exact_scan
from drift_arrow.kernels.topk import Heaps
from tests import oracle

METRICS = ["l2", "cosine", "dot"]


def random_matrix(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


def scan(matrix, queries, metric, k, allowed=None, first_id=0):
    heaps = Heaps.empty(len(queries), k)
    exact_scan(matrix, first_id, allowed, queries, metric, heaps)
    return heaps.sorted()


def expected(matrix, query, metric, k, mask=None, first_id=0):
    distances = exact_distances(matrix, query, metric)
    rows = [row for row in range(len(matrix)) if mask is None or mask[row]]
    return oracle.best([(float(distances[row]), first_id + row) for row in rows], k)


def pairs(found, query):
    ids, distances = found
    return [(float(d), int(i)) for d, i in zip(distances[query], ids[query], strict=True)]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 63, 64, 65, 1023, 1024, 1025])
def test_a_scan_finds_the_exact_neighbours_and_their_exact_distances(metric, n):
    matrix, queries = random_matrix(n, 20), random_matrix(3, 20, seed=1)
    found = scan(matrix, queries, metric, 10, first_id=1 << 40)
    for q, query in enumerate(queries):
        assert pairs(found, q) == expected(matrix, query, metric, 10, first_id=1 << 40)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", [1, 2, 15, 16, 17, 31, 64, 96, 100, 128, 200, 384, 768, 1000, 1536])
def test_a_scan_computes_the_bits_of_exact_distances(metric, dim):
    matrix, queries = random_matrix(70, dim), random_matrix(2, dim, seed=1)
    found = scan(matrix, queries, metric, 70)
    for q, query in enumerate(queries):
        assert pairs(found, q) == expected(matrix, query, metric, 70)


@given(
    n=st.integers(0, 300), selectivity=st.sampled_from([0, 0.01, 0.1, 0.25, 0.5, 0.99, 1]), seed=st.integers(0, 2**32)
)
def test_only_allowed_rows_are_found_at_every_selectivity(n, selectivity, seed):
    mask = np.random.default_rng(seed).random(n) < selectivity
    matrix, query = random_matrix(n, 3, seed), random_matrix(1, 3, seed + 1)
    found = scan(matrix, query, "l2", 20, bitmap.from_mask(mask))
    assert pairs(found, 0) == expected(matrix, query[0], "l2", 20, mask)


def test_equal_distances_go_to_the_lower_id():
    found = scan(np.ones((50, 4), np.float32), np.ones((1, 4), np.float32), "l2", 3, first_id=7)
    assert found[0].tolist() == [[7, 8, 9]]


def test_several_scans_fill_one_heap():
    matrix, query = random_matrix(100, 8), random_matrix(1, 8, seed=1)
    heaps = Heaps.empty(1, 10)
    for start in (60, 0, 30):
        exact_scan(matrix[start : start + (30 if start < 60 else 40)], start, None, query, "dot", heaps)
    assert pairs(heaps.sorted(), 0) == expected(matrix, query[0], "dot", 10)


def test_a_nan_row_is_never_found():
    matrix = random_matrix(4, 5)
    matrix[2, 1] = np.nan
    assert scan(matrix, matrix[:1], "l2", 4)[0].tolist()[0][3] == -1


def test_a_row_at_infinite_distance_is_found_last():
    matrix = np.array([[3e38], [1]], np.float32)
    ids, distances = scan(matrix, np.array([[-3e38]], np.float32), "l2", 3)
    assert ids.tolist() == [[0, 1, -1]]
    assert np.isinf(distances).all()


def test_no_queries_and_read_only_inputs_are_fine():
    matrix = random_matrix(4, 5)
    matrix.flags.writeable = False
    assert scan(matrix, matrix[:0], "l2", 3)[0].shape == (0, 3)
    assert scan(matrix, matrix[:1], "l2", 1)[0].tolist() == [[0]]


@pytest.mark.parametrize(
    "arguments",
    [
        {"matrix": np.zeros((4, 6), np.float32)[:, ::2]},
        {"matrix": np.zeros((4, 4), np.float32)},
        {"matrix": np.zeros((4, 3), np.float64)},
        {"allowed": np.zeros(2, np.uint8)},
        {"allowed": np.zeros(1, np.bool_)},
        {"queries": np.zeros(3, np.float32)},
        {"heaps": Heaps.empty(2, 1)},
        {"first_id": -1},
        {"first_id": 2**63 - 4},
        {"metric": "l1"},
    ],
    ids=[
        "strided matrix",
        "other dim",
        "float64 matrix",
        "long bitmap",
        "mask instead of bitmap",
        "one-dimensional query",
        "too many heaps",
        "negative id",
        "id overflow",
        "unknown metric",
    ],
)
def test_wrong_arguments_are_refused(arguments):
    right = {
        "matrix": np.zeros((4, 3), np.float32),
        "first_id": 0,
        "allowed": None,
        "queries": np.zeros((1, 3), np.float32),
        "metric": "l2",
        "heaps": Heaps.empty(1, 1),
    }
    with pytest.raises(ValueError, match=next(iter(arguments)).replace("first_id", "ids")):
        exact_scan(**(right | arguments))
