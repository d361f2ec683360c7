from __future__ import annotations

import ctypes

import numpy as np
import pytest

from drift_arrow.engine.memtable_codes import BLOCK_ROWS, MemtableCodes
from tests import oracle

DIM = 12


def drifting(n_rows: int) -> np.ndarray:
    """Rows whose range moves as they come."""
    rng = np.random.default_rng(3)
    return (rng.normal(size=(n_rows, DIM)) + np.linspace(0, 50, n_rows)[:, np.newaxis]).astype(np.float32)


def codes_at(buckets) -> np.ndarray:
    """What a kernel reads at the addresses of all buckets."""
    blocks = [
        np.ctypeslib.as_array((ctypes.c_uint8 * (rows * DIM)).from_address(address)).reshape(rows, DIM)
        for address, rows in zip(buckets.code_address.tolist(), buckets.rows.tolist(), strict=True)
    ]
    return np.concatenate(blocks)


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
@pytest.mark.parametrize("steps", [(700,), (1, 254, 1, 1), (255, 513, 2), (256, 256)])
def test_each_whole_block_is_quantised_between_its_own_extremes_however_its_rows_came(metric, steps):
    matrix = drifting(sum(steps))
    codes = MemtableCodes(DIM, metric, 1000)
    for stop in np.cumsum(steps).tolist():
        codes.extend(matrix[:stop])
    n_blocks = sum(steps) // BLOCK_ROWS
    assert codes.n_rows == n_blocks * BLOCK_ROWS
    rows = matrix[: codes.n_rows]
    if metric == "cosine":
        rows = oracle.normalized(rows).astype(np.float32)
    wanted, lo, step = oracle.sq8(rows, np.arange(n_blocks + 1) * BLOCK_ROWS)
    buckets = codes.buckets(sum(steps))
    assert buckets.first_row.tolist() == [block * BLOCK_ROWS for block in range(n_blocks)]
    np.testing.assert_allclose(buckets.lo, lo, rtol=1e-6)
    np.testing.assert_allclose(buckets.step, step, rtol=1e-4)
    np.testing.assert_allclose(buckets.norms, oracle.squares(rows.astype(np.float64)), rtol=1e-5)
    # a value between two levels may fall to either by the rounding of the unit vectors
    assert np.abs(codes_at(buckets).astype(int) - wanted.astype(int)).max() <= (metric == "cosine")


def test_a_block_is_invisible_until_its_last_row_has_come():
    matrix = drifting(BLOCK_ROWS)
    codes = MemtableCodes(DIM, "l2", BLOCK_ROWS)
    codes.extend(matrix[:-1])
    assert len(codes.buckets(BLOCK_ROWS).rows) == 0
    codes.extend(matrix)
    assert len(codes.buckets(BLOCK_ROWS).rows) == 1


def test_a_view_of_fewer_rows_has_only_the_blocks_within_them():
    matrix = drifting(4 * BLOCK_ROWS)
    codes = MemtableCodes(DIM, "l2", len(matrix))
    codes.extend(matrix)
    for n_rows, n_blocks in [(0, 0), (BLOCK_ROWS - 1, 0), (BLOCK_ROWS, 1), (3 * BLOCK_ROWS + 7, 3), (len(matrix), 4)]:
        buckets = codes.buckets(n_rows)
        assert len(buckets.rows) == n_blocks
        assert len(buckets.norms) == n_blocks * BLOCK_ROWS


def test_blocks_that_a_reader_holds_stay_as_they_are_while_others_come():
    matrix = drifting(3 * BLOCK_ROWS)
    codes = MemtableCodes(DIM, "l2", len(matrix))
    codes.extend(matrix[:BLOCK_ROWS])
    held = codes.buckets(BLOCK_ROWS)
    before = codes_at(held).copy(), held.lo.copy(), held.step.copy(), held.norms.copy()
    codes.extend(matrix)
    for was, now in zip(before, (codes_at(held), held.lo, held.step, held.norms), strict=True):
        assert np.array_equal(was, now)


def test_a_memtable_smaller_than_a_block_has_no_codes():
    codes = MemtableCodes(DIM, "l2", BLOCK_ROWS - 1)
    codes.extend(drifting(BLOCK_ROWS - 1))
    assert codes.n_rows == codes.nbytes == 0
