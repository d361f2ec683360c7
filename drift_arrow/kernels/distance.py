"""Exact distances in float32. Smaller is closer."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel

METRIC_CODES: Final = {"l2": 0, "cosine": 1, "dot": 2}
"""Squared Euclidean distance, 1 - cosine, negative inner product."""

L2: Final = METRIC_CODES["l2"]
DOT: Final = METRIC_CODES["dot"]

# between these the squares of the values that matter are normal float32 numbers
_LEAST_LENGTH: Final = np.float32(1e-15)
_LARGEST_LENGTH: Final = np.float32(1e15)
_EXPONENT: Final = np.uint32(0x7F800000)
_NOT_SIGN: Final = np.uint32(0x7FFFFFFF)


def metric_code(metric: str) -> int:
    """Number of a metric inside kernels. Raises ValueError for any other name."""
    if metric not in METRIC_CODES:
        raise ValueError(f"unknown metric; got={metric!r} known={sorted(METRIC_CODES)}")
    return METRIC_CODES[metric]


@kernel(reassociate=True, inner=True)
def inner_product(row: Any, query: Any) -> Any:
    """Sum of products of two (dim,) float32 rows, accumulated in float32."""
    total = np.float32(0)
    for j in range(query.size):
        total += row[j] * query[j]
    return total


@kernel(reassociate=True, inner=True)
def _squared_difference(row: Any, query: Any) -> Any:
    total = np.float32(0)
    for j in range(query.size):
        difference = row[j] - query[j]
        total += difference * difference
    return total


@kernel(reassociate=True, inner=True)
def _product_and_norm(row: Any, query: Any) -> Any:
    product = np.float32(0)
    norm = np.float32(0)
    for j in range(query.size):
        product += row[j] * query[j]
        norm += row[j] * row[j]
    return product, norm


@kernel(inner=True)
def _wide_cosine(row: Any, query: Any) -> Any:
    product = 0.0
    row_norm = 0.0
    query_norm = 0.0
    for j in range(query.size):
        product += np.float64(row[j]) * np.float64(query[j])
        row_norm += np.float64(row[j]) * np.float64(row[j])
        query_norm += np.float64(query[j]) * np.float64(query[j])
    if row_norm == 0.0 or query_norm == 0.0:
        return np.float32(1)
    return np.float32(1.0 - product / (np.sqrt(row_norm) * np.sqrt(query_norm)))


@kernel(inner=True)
def _cosine(row: Any, query: Any, query_length: Any) -> Any:
    product, norm = _product_and_norm(row, query)
    length = np.sqrt(norm)
    if _LEAST_LENGTH < length < _LARGEST_LENGTH and _LEAST_LENGTH < query_length < _LARGEST_LENGTH:
        distance = np.float32(1) - product / (length * query_length)
    else:
        # squares of very small or large values leave the range of float32; so do zero, infinity and NaN
        distance = _wide_cosine(row, query)
    # written so that NaN passes
    return np.float32(0) if distance < 0 else distance


@kernel(inner=True)
def row_distance(row: Any, query: Any, query_length: Any, metric: Any) -> Any:
    """Distance of one (dim,) float32 row to one query; the only definition of a distance in this package."""
    if metric == L2:
        return _squared_difference(row, query)
    if metric == DOT:
        return np.float32(0) - inner_product(row, query)
    return _cosine(row, query, query_length)


@kernel
def _exact_distances(matrix: Any, row_query: Any, queries: Any, query_lengths: Any, metric: Any, out: Any) -> None:
    for i in range(matrix.shape[0]):
        number = row_query[i]
        out[i] = row_distance(matrix[i], queries[number], query_lengths[number], metric)


@kernel
def _squared_norms(matrix: Any, out: Any) -> None:
    for i in range(matrix.shape[0]):
        out[i] = inner_product(matrix[i], matrix[i])


@kernel(reassociate=True, inner=True)
def _wide_norm(row: Any) -> Any:
    total = np.float64(0)
    for j in range(row.size):
        total += np.float64(row[j]) * np.float64(row[j])
    return np.sqrt(total)


@kernel
def _normalize_rows(matrix: Any, out: Any) -> None:
    for i in range(matrix.shape[0]):
        norm = _wide_norm(matrix[i])
        inverse = 1.0 / norm if norm != 0.0 else 0.0
        for j in range(matrix.shape[1]):
            out[i, j] = np.float32(np.float64(matrix[i, j]) * inverse)


@kernel
def _first_nonfinite_row(bits: Any) -> int:
    for i in range(bits.shape[0]):
        bad = 0
        for j in range(bits.shape[1]):
            bad += (bits[i, j] & _EXPONENT) == _EXPONENT
        if bad:
            return i
    return -1


@kernel
def _first_zero_row(bits: Any) -> int:
    for i in range(bits.shape[0]):
        seen = np.uint32(0)
        for j in range(bits.shape[1]):
            seen |= bits[i, j] & _NOT_SIGN
        if seen == 0:
            return i
    return -1


def exact_distances(matrix: NDArray[np.float32], query: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    """Distance of every row to one query.

    Parameters
    ----------
    matrix : (n, dim) float32
    query : (dim,) float32
    metric : str
        A key of `METRIC_CODES`.

    Returns
    -------
    (n,) float32
        l2 in [0, inf], cosine in [0, 2] up to rounding, dot in [-inf, inf]. NaN where a NaN took part. The cosine
        distance of a zero vector is 1.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or unknown metric

    Notes
    -----
    A row has the same distance, bit by bit, wherever in a matrix it stands, and the same one in
    `exact_distances_batch`: all run one compiled function. Between processors the last bits may differ.
    """
    query = readonly("query", query, np.float32, None)
    return exact_distances_batch(matrix, np.zeros(len(matrix), np.uint32), query[np.newaxis], metric)


def exact_distances_batch(
    matrix: NDArray[np.float32], row_query: NDArray[np.uint32], queries: NDArray[np.float32], metric: str
) -> NDArray[np.float32]:
    """Distance of every row to the query of that row; see `exact_distances`.

    Parameters
    ----------
    matrix : (m, dim) float32
    row_query : (m,) uint32
        Number of the query of each row, below nq.
    queries : (nq, dim) float32
    metric : str

    Returns
    -------
    (m,) float32

    Raises
    ------
    ValueError    wrong dtype, shape or layout, a query number out of range, or unknown metric
    """
    queries = readonly("queries", queries, np.float32, None, None)
    matrix = readonly("matrix", matrix, np.float32, None, queries.shape[1])
    row_query = readonly("row_query", row_query, np.uint32, len(matrix))
    if len(row_query) and int(row_query.max()) >= len(queries):
        raise ValueError(f"row_query names a query that does not exist; got={row_query.max()} queries={len(queries)}")
    out = np.empty(len(matrix), np.float32)
    _exact_distances(matrix, row_query, queries, lengths(queries), metric_code(metric), out)
    return out


def squared_norms(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Squared Euclidean norm of each row of a (n, dim) float32 matrix, as (n,) float32.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    matrix = readonly("matrix", matrix, np.float32, None, None)
    out = np.empty(len(matrix), np.float32)
    _squared_norms(matrix, out)
    return out


def lengths(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Euclidean length of each row, (n,) float32 and read-only, as `row_distance` wants it of its query."""
    return readonly("lengths", np.sqrt(squared_norms(matrix)), np.float32, len(matrix))


def normalize_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of a (n, dim) float32 matrix scaled to length 1, as a new matrix. A zero row stays zero.

    Raises
    ------
    ValueError    wrong dtype, shape or layout

    Notes
    -----
    Lengths are computed in float64, so that neither tiny nor huge rows underflow or overflow.
    """
    matrix = readonly("matrix", matrix, np.float32, None, None)
    out = np.empty(matrix.shape, np.float32)
    _normalize_rows(matrix, out)
    return out


def first_nonfinite_row(matrix: NDArray[np.float32]) -> int:
    """Number of the first row of a (n, dim) float32 matrix that holds a NaN or an infinity, or -1.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    return int(_first_nonfinite_row(readonly("matrix", matrix, np.float32, None, None).view(np.uint32)))


def first_zero_row(matrix: NDArray[np.float32]) -> int:
    """Number of the first row of a (n, dim) float32 matrix whose values are all zero, or -1. Rows of length 0 are.

    Raises
    ------
    ValueError    wrong dtype, shape or layout
    """
    return int(_first_zero_row(readonly("matrix", matrix, np.float32, None, None).view(np.uint32)))
