from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.gather import gather_rows

DTYPES = ["uint16", "uint32", "uint64", "float32", "float64"]


@pytest.mark.parametrize("dtype", DTYPES)
@given(
    starts=st.lists(st.integers(0, 90), max_size=20),
    dim=st.integers(0, 10),
)
def test_runs_are_copied_in_the_order_asked_for(dtype, starts, dim):
    flat = np.random.default_rng(0).integers(0, 1 << 16, 100).astype(dtype)
    flat.flags.writeable = False
    got = gather_rows(flat, np.array(starts, np.int64), dim)
    assert got.dtype == flat.dtype
    assert got.shape == (len(starts), dim)
    assert got.tolist() == [flat[start : start + dim].tolist() for start in starts]


@pytest.mark.parametrize("dim", [1, 7, 8, 9, 1023, 1024, 1025])
def test_long_runs_are_copied_whole(dim):
    flat = np.arange(5 * dim, dtype=np.uint32)
    got = gather_rows(flat, np.array([4 * dim, 0, 3], np.int64), dim)
    assert got.tolist() == [flat[start : start + dim].tolist() for start in (4 * dim, 0, 3)]


def test_float_bits_survive():
    flat = np.array([0x7FC12345, 0xFF800000, 0x80000000, 1], np.uint32).view(np.float32)
    assert gather_rows(flat, np.array([0], np.int64), 4).tobytes() == flat.tobytes()


@pytest.mark.parametrize(
    ("flat", "starts", "dim"),
    [
        (np.zeros(4, np.float32), np.array([2], np.int64), 3),
        (np.zeros(4, np.float32), np.array([-1], np.int64), 2),
        (np.zeros(4, np.float32), np.array([2**62], np.int64), 2),
        (np.zeros(4, np.float32), np.array([0], np.int64), -1),
        (np.zeros(4, np.float32), np.array([0], np.int64), 5),
        (np.zeros(4, np.float32), np.array([0], np.int32), 1),
        (np.zeros(4, np.int32), np.array([0], np.int64), 1),
        (np.zeros(8, np.float32)[::2], np.array([0], np.int64), 1),
        (np.zeros((2, 2), np.float32), np.array([0], np.int64), 1),
    ],
)
def test_runs_that_leave_the_array_and_other_inputs_are_refused(flat, starts, dim):
    with pytest.raises(ValueError, match=r"flat|starts|leaves"):
        gather_rows(flat, starts, dim)
