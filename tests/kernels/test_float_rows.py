from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels import float_rows
from drift_arrow.kernels.encoded_floats import EncodedFloats, check_floats
from drift_arrow.kernels.float_rows import gather_float_rows
from drift_arrow.kernels.floats import decode_floats, encode_floats
from tests.kernels import float_oracle as oracle
from tests.kernels.test_encoded_floats import changed, guarded, guarded_copy, header, mixed, replaced

DTYPES = [np.float16, np.float32, np.float64]
DIMS = [1, 3, 128, 784, 1024, 5000]


def matrix_of(dtype, dim):
    """Rows whose vectors take every scheme, the last one not whole."""
    values = mixed(dtype)
    while len(values) < 3 * dim:
        values = np.concatenate([values, values])
    values = values[: (len(values) - 100) // dim * dim]
    return encode_floats(values), values.reshape(-1, dim)


def gathered(encoded: EncodedFloats, rows, dim):
    out = np.empty((len(rows), dim), encoded.dtype)
    gather_float_rows(encoded, np.array(rows, np.int64), dim, out)
    return out


def assert_rows(encoded, matrix, rows):
    oracle.assert_same_bits(gathered(encoded, rows, matrix.shape[1]), matrix[np.array(rows, np.int64)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", DIMS)
def test_rows_are_those_of_the_decoded_matrix(dtype, dim):
    encoded, matrix = matrix_of(dtype, dim)
    oracle.assert_same_bits(decode_floats(encoded), matrix.reshape(-1))
    n, some = len(matrix), np.random.default_rng(0).integers(0, len(matrix), 50)
    rising = list(range(min(n, 3000)))
    for rows in ([], [0], [n - 1], [n - 1, 0], rising, rising[::-1], [1] * 5, some, np.sort(some), [0, n - 1] * 3):
        assert_rows(encoded, matrix, rows)


@pytest.mark.parametrize("dim", [1, 3, 700, 1024, 2500])
@given(data=st.data())
def test_rows_come_in_any_order_and_repeat(dim, data):
    encoded, matrix = matrix_of(np.float32, dim)
    assert_rows(encoded, matrix, data.draw(st.lists(st.integers(0, len(matrix) - 1), max_size=30)))


@pytest.mark.parametrize("dim", [1, 16, 1000, 1500])
def test_more_rows_than_are_decoded_at_a_time_come_back(dim, monkeypatch):
    monkeypatch.setattr(float_rows, "_ROOM", 3)
    encoded, matrix = matrix_of(np.float32, dim)
    assert_rows(encoded, matrix, np.random.default_rng(0).integers(0, len(matrix), 200))
    assert_rows(encoded, matrix, range(len(matrix)))


@pytest.mark.parametrize(
    ("rows", "dim", "vectors"),
    [
        ([0, 1, 2, 7, 8], 128, [0, 1]),
        ([8, 7, 0], 128, [1, 0]),
        ([0, 8, 0], 128, [0, 1]),
        ([16, 0, 16], 128, [2, 0, 2]),
        ([0, 1, 2], 700, [0, 1, 2]),
        ([2, 1, 0], 700, [1, 2, 0, 1]),
        ([0, 0, 0], 2048, [0, 1]),
        ([3, 1], 1024, [3, 1]),
    ],
)
def test_neighbours_share_the_vectors_that_they_touch(rows, dim, vectors):
    numbers, starts = np.empty(8, np.int64), np.empty(len(rows), np.int64)
    end, size = float_rows._plan(np.array(rows), 0, len(rows), dim, numbers, starts)
    assert (end, numbers[:size].tolist()) == (len(rows), vectors)
    matrix = np.random.default_rng(0).standard_normal((40, dim)).astype(np.float32)
    assert_rows(encode_floats(matrix.reshape(-1)), matrix, rows)


def test_rows_of_many_blocks_go_where_they_belong():
    matrices = [np.random.default_rng(i).standard_normal((40 + i, 96)).astype(np.float32) for i in range(5)]
    blocks = [encode_floats(matrix.reshape(-1)) for matrix in matrices]
    owners = np.repeat([0, 1, 2, 4], 3)
    rows, places = np.arange(12) * 7 % 40, np.random.default_rng(0).permutation(12)
    found = np.zeros((13, 96), np.float32)
    float_rows.gather_float_blocks(blocks, np.array([3, 6, 9, 9, 12]), rows, places, 96, found)
    assert np.array_equal(found[places], [matrices[owner][row] for owner, row in zip(owners, rows, strict=True)])
    assert not found[12].any()


@pytest.mark.parametrize(
    ("ends", "places", "message"),
    [
        ([2, 1, 3], [0, 1, 2], "ends must ascend"),
        ([1, 2, 2], [0, 1, 2], "ends must ascend"),
        ([-1, 2, 3], [0, 1, 2], "ends must ascend"),
        ([1, 2, 3], [0, 1, 3], "there is no such row"),
        ([1, 2, 3], [0, 1, -1], "there is no such row"),
        ([1, 2, 3], [0, 1], "places has the wrong shape"),
        ([1, 3], [0, 1, 2], "ends has the wrong shape"),
    ],
)
def test_rows_that_go_nowhere_are_refused(ends, places, message):
    blocks, found = [encode_floats(np.zeros(1024))] * 3, np.zeros((3, 8))
    with pytest.raises(ValueError, match=message):
        float_rows.gather_float_blocks(blocks, np.array(ends), np.arange(3), np.array(places), 8, found)


@pytest.mark.parametrize("rows", [[-1], [0, 24], [2**62], [-(2**63)]])
def test_rows_that_are_not_there_are_refused(rows):
    with pytest.raises(ValueError, match="there is no such row; got="):
        gathered(encode_floats(np.zeros(24 * 128, np.float32)), rows, 128)


@pytest.mark.parametrize("dim", [0, -1, 7])
def test_values_that_are_no_whole_rows_are_refused(dim):
    with pytest.raises(ValueError, match=rf"values must be whole rows; got=1024 dim={dim}"):
        gather_float_rows(encode_floats(np.zeros(1024)), np.zeros(1, np.int64), dim, np.empty((1, max(dim, 0))))


@pytest.mark.parametrize(
    ("rows", "out"),
    [
        (np.zeros(2, np.int32), np.empty((2, 8))),
        (np.zeros(2, np.int64), np.empty((3, 8))),
        (np.zeros(2, np.int64), np.empty((2, 8), np.float32)),
        (np.zeros(2, np.int64), np.empty((2, 16))[:, ::2]),
    ],
)
def test_rows_and_outputs_of_other_types_and_shapes_are_refused(rows, out):
    with pytest.raises(ValueError, match=r"rows|out"):
        gather_float_rows(encode_floats(np.zeros(1024)), rows, 8, out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_damage_where_the_rows_lie_is_refused(dtype):
    encoded = encode_floats(mixed(dtype))
    damaged = changed(encoded, "headers", 1, header(1, 63) | 1 << 9)
    rest = replaced(damaged, "packed", np.zeros(int(damaged.starts[-1, 0]) + 128, np.uint8))
    with pytest.raises(ValueError, match="encoded floats are damaged"):
        gathered(damaged, [0, 8], 128)
    with pytest.raises(ValueError, match="encoded floats are damaged"):
        gathered(rest, [0, 8], 128)
    with pytest.raises(ValueError, match="encoded floats are damaged"):
        gathered(replaced(encoded, "packed", encoded.packed[:-1]), [0], 128)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
def test_whatever_the_arrays_say_gathering_stays_inside_them(dtype, data):
    encoded = encode_floats(mixed(dtype))
    for _ in range(data.draw(st.integers(1, 3))):
        name = data.draw(st.sampled_from(["headers", "bases", "positions", "dictionaries"]))
        array = getattr(encoded, name).copy()
        flat = array.reshape(-1).view(f"u{array.itemsize}")
        if flat.size:
            index = data.draw(st.integers(0, flat.size - 1))
            flat[index] ^= flat.dtype.type(1 << data.draw(st.integers(0, flat.itemsize * 8 - 1)))
        encoded = replaced(encoded, name, array)
    encoded = guarded_copy(encoded)
    rows = np.array(data.draw(st.lists(st.integers(0, encoded.n // 104 - 1), max_size=20)), np.int64)
    out = guarded(np.zeros((len(rows), 104), dtype))
    if check_floats(encoded) is None:
        gather_float_rows(encoded, rows, 104, out)
        return
    # a fault may lie where no row does
    with contextlib.suppress(ValueError):
        gather_float_rows(encoded, rows, 104, out)
