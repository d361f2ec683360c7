from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from drift_arrow.kernels.distance import (
    exact_distances,
    exact_distances_batch,
    first_nonfinite_row,
    first_zero_row,
    normalize_rows,
    squared_norms,
)
from tests import oracle

METRICS = ["l2", "cosine", "dot"]
DIMS = [1, 2, 7, 8, 9, 63, 64, 65, 100, 768, 1023, 1024, 1025]


def random_matrix(n, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dim", DIMS)
def test_distances_equal_the_oracle_at_every_dimension(metric, dim):
    matrix = random_matrix(9, dim)
    got = exact_distances(matrix, matrix[4] * 2, metric)
    want = oracle.distances(matrix, matrix[4] * 2, metric)
    np.testing.assert_allclose(got, want, rtol=0, atol=oracle.tolerance(matrix, matrix[4] * 2, metric))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 1023, 1024, 1025])
def test_distances_equal_the_oracle_at_every_number_of_rows(metric, n):
    matrix, query = random_matrix(n, 5), random_matrix(1, 5, seed=1)[0]
    got = exact_distances(matrix, query, metric)
    want = oracle.distances(matrix, query, metric)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, rtol=0, atol=oracle.tolerance(matrix, query, metric))


@pytest.mark.parametrize("metric", METRICS)
@given(
    matrix=hnp.arrays(
        np.float32, st.tuples(st.integers(1, 12), st.integers(1, 40)), elements=st.floats(-9, 9, width=32)
    )
)
def test_a_row_has_the_same_bits_alone_in_a_matrix_and_in_a_batch(metric, matrix):
    queries = np.ascontiguousarray(matrix[::-1])
    together = exact_distances(matrix, queries[0], metric)
    alone = [exact_distances(row[np.newaxis], queries[0], metric)[0] for row in matrix]
    reversed_numbers = np.arange(len(matrix), dtype=np.uint32)[::-1].copy()
    batch = exact_distances_batch(matrix, reversed_numbers, queries[::-1].copy(), metric)
    mirror = exact_distances_batch(matrix, np.zeros(len(matrix), np.uint32), queries, metric)
    assert together.tobytes() == np.array(alone, np.float32).tobytes() == mirror.tobytes()
    each = [exact_distances(matrix, queries[::-1].copy()[q], metric)[i] for i, q in enumerate(reversed_numbers)]
    assert batch.tobytes() == np.array(each, np.float32).tobytes()


@pytest.mark.parametrize("metric", METRICS)
def test_read_only_and_shifted_rows_have_the_same_bits(metric):
    matrix = random_matrix(5, 100)
    shifted = np.empty(matrix.size + 3, np.float32)[3:].reshape(matrix.shape)
    shifted[:] = matrix
    want = exact_distances(matrix, matrix[0], metric).tobytes()
    matrix.flags.writeable = False
    assert exact_distances(matrix, matrix[0], metric).tobytes() == want
    assert exact_distances(shifted, matrix[0], metric).tobytes() == want


def test_cosine_of_parallel_rows_is_never_below_zero():
    matrix = random_matrix(200, 33)
    for row in matrix:
        assert exact_distances(row[np.newaxis] * np.float32(3), row, "cosine")[0] >= 0


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e-20, 1e20, 1e37])
def test_cosine_does_not_depend_on_the_length_of_a_row(scale):
    axes = np.array([[1, 0], [0, 1], [-1, 0]], np.float32) * np.float32(scale)
    assert exact_distances(axes, np.array([1, 0], np.float32), "cosine").tolist() == [0, 1, 2]
    assert exact_distances(np.eye(2, dtype=np.float32), axes[0], "cosine").tolist() == [0, 1]


def test_cosine_of_a_zero_vector_is_one():
    matrix = np.array([[0, 0], [1, 2]], np.float32)
    assert exact_distances(matrix, matrix[1], "cosine")[0] == 1
    assert exact_distances(matrix, matrix[0], "cosine").tolist() == [1, 1]


@pytest.mark.parametrize("metric", METRICS)
def test_a_nan_makes_the_distance_nan_and_spoils_no_other_row(metric):
    matrix = random_matrix(3, 70)
    matrix[1, 69] = np.nan
    assert np.isnan(exact_distances(matrix, matrix[0], metric)).tolist() == [False, True, False]


def test_an_infinite_value_is_infinitely_far():
    matrix = np.array([[np.inf, 0], [0, 0]], np.float32)
    assert exact_distances(matrix, np.zeros(2, np.float32), "l2").tolist() == [np.inf, 0]
    assert exact_distances(matrix, np.array([-1, 0], np.float32), "dot").tolist() == [np.inf, 0]


def test_orthogonal_rows_have_a_positive_zero_inner_product():
    assert not np.signbit(exact_distances(np.eye(2, dtype=np.float32), np.zeros(2, np.float32), "dot")).any()


@pytest.mark.parametrize("n", [0, 1, 9])
def test_norms_equal_the_oracle(n):
    matrix = random_matrix(n, 130)
    np.testing.assert_allclose(squared_norms(matrix), np.square(matrix.astype(float)).sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("scale", [1e-38, 1.0, 1e36])
def test_normalized_rows_have_length_one_whatever_their_scale(scale):
    matrix = random_matrix(9, 77) * np.float32(scale)
    np.testing.assert_allclose(normalize_rows(matrix), oracle.normalized(matrix), atol=1e-7)


def test_normalizing_keeps_a_zero_row_and_the_input():
    matrix = np.array([[0, 0], [3, 4]], np.float32)
    assert normalize_rows(matrix).tolist() == [[0, 0], [np.float32(0.6), np.float32(0.8)]]
    assert matrix[1].tolist() == [3, 4]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("row", "column"), [(0, 0), (6, 99), (3, 64)])
def test_the_first_nonfinite_row_is_found(bad, row, column):
    matrix = random_matrix(7, 100)
    assert first_nonfinite_row(matrix) == -1
    matrix[row:, column] = bad
    assert first_nonfinite_row(matrix) == row


def test_the_first_zero_row_is_found_and_minus_zero_is_zero():
    matrix = random_matrix(7, 100)
    assert first_zero_row(matrix) == -1
    matrix[3:5] = -0.0
    matrix[2] = 0
    matrix[2, 99] = 1e-45
    assert first_zero_row(matrix) == 3


def test_an_empty_matrix_has_no_bad_row():
    assert first_nonfinite_row(np.empty((0, 3), np.float32)) == -1
    assert first_zero_row(np.empty((0, 3), np.float32)) == -1


@pytest.mark.parametrize(
    ("matrix", "query"),
    [
        (np.zeros((2, 3), np.float64), np.zeros(3, np.float32)),
        (np.zeros((2, 3), np.float32), np.zeros(4, np.float32)),
        (np.zeros((2, 6), np.float32)[:, ::2], np.zeros(3, np.float32)),
        (np.zeros((3, 2), np.float32).T, np.zeros(3, np.float32)),
        (np.zeros(25, np.uint8)[1:].view(np.float32).reshape(2, 3), np.zeros(3, np.float32)),
        (np.zeros((2, 3), ">f4"), np.zeros(3, np.float32)),
        ([[0.0, 0.0, 0.0]], np.zeros(3, np.float32)),
    ],
    ids=["float64", "other dim", "strided", "transposed", "misaligned", "big endian", "list"],
)
def test_other_types_shapes_and_layouts_are_refused(matrix, query):
    with pytest.raises(ValueError, match="matrix"):
        exact_distances(matrix, query, "l2")


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="known="):
        exact_distances(np.zeros((1, 1), np.float32), np.zeros(1, np.float32), "manhattan")


def test_a_query_number_out_of_range_is_refused():
    with pytest.raises(ValueError, match="row_query"):
        exact_distances_batch(np.zeros((1, 1), np.float32), np.ones(1, np.uint32), np.zeros((1, 1), np.float32), "l2")
