"""Rows picked one by one against the matrix that decodes from the same bytes."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.encoded_floats import check_floats
from drift_arrow.kernels.float_points import gather_float_points
from drift_arrow.kernels.floats import decode_floats, encode_floats
from drift_arrow.kernels.integers import encode_integers
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.row_table import RowTable, floats_line, integers_line, plain_line
from tests.kernels import float_oracle as oracle
from tests.kernels.test_encoded_floats import ARRAYS, changed, guarded, guarded_copy, header, mixed, replaced
from tests.kernels.test_float_rows import DIMS, DTYPES, matrix_of


def table_of(*blocks, dim):
    """One block of rows after the other, None for one that is absent and has a row."""
    counts = [1 if encoded is None else encoded.n // dim for encoded in blocks]
    lines = [None if encoded is None else floats_line(encoded) for encoded in blocks]
    return RowTable.of(np.cumsum([0, *counts]), lines, blocks)


def picked(table, rows, dim, dtype):
    out = np.empty((len(rows), dim), dtype)
    assert gather_float_points(table, np.array(rows, np.int64), out)
    return out


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", [*DIMS, 31, 33, 700, 1025])
def test_rows_are_those_of_the_decoded_matrix(dtype, dim):
    encoded, matrix = matrix_of(dtype, dim)
    oracle.assert_same_bits(decode_floats(encoded), matrix.reshape(-1))
    n, some = len(matrix), np.random.default_rng(0).integers(0, len(matrix), 50)
    for rows in ([], [0], [n - 1, 0], range(min(n, 3000)), [1] * 5, some):
        oracle.assert_same_bits(picked(table_of(encoded, dim=dim), rows, dim, dtype), matrix[np.array(rows, np.int64)])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("whole_bytes", [False, True])
def test_single_values_are_those_of_the_decoded_column(dtype, whole_bytes):
    encoded = encode_floats(mixed(dtype), whole_bytes=whole_bytes)
    rows = np.arange(encoded.n)
    oracle.assert_same_bits(picked(table_of(encoded, dim=1), rows, 1, dtype)[:, 0], mixed(dtype))


@pytest.mark.parametrize("name", oracle.samples())
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_samples_come_back_value_by_value(name, dtype):
    values = oracle.samples()[name].astype(dtype)
    encoded = encode_floats(values)
    oracle.assert_same_bits(picked(table_of(encoded, dim=1), np.arange(len(values)), 1, dtype)[:, 0], values)


@pytest.mark.parametrize("width", [0, 1, 31, 32, 33, 51])
def test_integers_of_every_lane_come_back(width):
    values = np.random.default_rng(0).integers(-(1 << width) // 2, (1 << width) - (1 << width) // 2, 2048) / 1.0
    encoded = encode_floats(values)
    oracle.assert_same_bits(picked(table_of(encoded, dim=7), range(292), 7, np.float64).reshape(-1), values[:2044])


def test_rows_of_many_blocks_come_in_the_order_asked_for():
    random = np.random.default_rng(0)
    matrices = [random.standard_normal((40 + i, 96)).astype(np.float32) for i in range(5)]
    blocks = [encode_floats(matrix.reshape(-1)) for matrix in matrices]
    plain = [floats_line(block) for block in blocks]
    plain[2] = plain_line(matrices[2].size, address_of(matrices[2]))
    table = RowTable.of(np.cumsum([0, *map(len, matrices)]), plain, (blocks, matrices))
    rows = random.integers(0, 210, 300)
    assert np.array_equal(picked(table, rows, 96, np.float32), np.concatenate(matrices)[rows])


def test_rows_of_absent_blocks_are_not_found():
    encoded = encode_floats(np.zeros(64))
    table, out = table_of(encoded, None, encoded, dim=8), np.empty((2, 8))
    assert gather_float_points(table, np.array([0, 9]), out)
    assert not gather_float_points(table, np.array([0, 8]), out)


@contextlib.contextmanager
def in_file(encoded, path, dim, *, cut=0):
    """Table of a block whose packed vectors are in an open file, and nowhere else."""
    path.write_bytes(b"header" + encoded.packed.tobytes()[: encoded.packed.nbytes - 128 - cut])
    nowhere = replaced(encoded, "packed", np.zeros_like(encoded.packed))
    with path.open("rb") as file:
        line = floats_line(nowhere, packed_at=(file.fileno(), 6))
        yield RowTable.of(np.array([0, encoded.n // dim]), [line], [nowhere])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("dim", [1, 128, 1500])
def test_packed_vectors_are_read_from_a_file(dtype, dim, tmp_path):
    encoded, matrix = matrix_of(dtype, dim)
    rows = np.random.default_rng(0).integers(0, len(matrix), 50)
    with in_file(encoded, tmp_path / "f", dim) as table:
        oracle.assert_same_bits(picked(table, rows, dim, dtype), matrix[rows])


def test_the_widest_vectors_are_read_from_a_file(tmp_path):
    values = np.frombuffer(np.random.default_rng(0).bytes(8 * 2048), np.float64)
    with in_file(encode_floats(values), tmp_path / "f", 1) as table:
        oracle.assert_same_bits(picked(table, np.arange(2048), 1, np.float64)[:, 0], values)


def test_a_file_that_is_cut_off_or_closed_is_damage(tmp_path):
    encoded, matrix = matrix_of(np.float32, 128)
    with in_file(encoded, tmp_path / "f", 128, cut=1) as table:
        assert picked(table, [0], 128, np.float32)[0].tobytes() == matrix[0].tobytes()
        with pytest.raises(ValueError, match="encoded numbers are damaged"):
            picked(table, np.arange(len(matrix)), 128, np.float32)
    with pytest.raises(ValueError, match="encoded numbers are damaged"):
        picked(table, [20], 128, np.float32)


@pytest.mark.parametrize("dtype", DTYPES)
def test_plain_rows_are_read_from_a_file(dtype, tmp_path):
    matrix, path = np.random.default_rng(0).standard_normal((30, 7)).astype(dtype), tmp_path / "f"
    path.write_bytes(b"header" + matrix.tobytes()[:-1])
    rows = [28, 0, 28, 5]
    with path.open("rb") as file:
        # nothing is at its address
        line = plain_line(matrix.size, 0, stored_at=(file.fileno(), 6))
        table = RowTable.of(np.array([0, 30]), [line], [])
        oracle.assert_same_bits(picked(table, rows, 7, dtype), matrix[rows])
        with pytest.raises(ValueError, match="encoded numbers are damaged"):
            picked(table, [29], 7, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_detached_floats_share_nothing_but_the_packed_vectors(dtype):
    encoded = encode_floats(mixed(dtype))
    detached = encoded.detached()
    oracle.assert_same_bits(decode_floats(detached), mixed(dtype))
    shared = [name for name in ARRAYS if np.shares_memory(getattr(encoded, name), getattr(detached, name))]
    assert shared == ["packed"]


@pytest.mark.parametrize("rows", [[-1], [0, 24], [2**62], [-(2**63)]])
def test_rows_that_are_not_there_are_refused(rows):
    table = table_of(encode_floats(np.zeros(24 * 128, np.float32)), dim=128)
    with pytest.raises(ValueError, match="there is no such row; got="):
        picked(table, rows, 128, np.float32)


@pytest.mark.parametrize("line", [floats_line(encode_floats(np.zeros(80))), plain_line(80, 0)])
def test_rows_past_the_values_of_a_block_are_refused(line):
    with pytest.raises(ValueError, match="there is no such row"):
        picked(RowTable.of(np.array([0, 11]), [line], ()), [10], 8, np.float64)


def test_blocks_of_another_type_are_refused():
    encoded = encode_integers(np.arange(80))
    table = RowTable.of(np.array([0, 80]), [integers_line(encoded.table)], [encoded])
    with pytest.raises(ValueError, match="another type"):
        picked(table, [0], 1, np.float64)


@pytest.mark.parametrize(
    ("rows", "out"),
    [
        (np.zeros(2, np.int32), np.empty((2, 8))),
        (np.zeros(2, np.int64), np.empty((3, 8))),
        (np.zeros(2, np.int64), np.empty((2, 8), np.int64)),
        (np.zeros(2, np.int64), np.empty((2, 16))[:, ::2]),
        (np.zeros(2, np.int64), None),
    ],
)
def test_rows_and_outputs_of_other_types_and_shapes_are_refused(rows, out):
    with pytest.raises(ValueError, match=r"rows|out"):
        gather_float_points(table_of(encode_floats(np.zeros(1024)), dim=8), rows, out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_damage_where_a_row_lies_is_refused(dtype):
    encoded = encode_floats(mixed(dtype))
    damaged = changed(encoded, "headers", 1, header(1, 63) | 1 << 9)
    with pytest.raises(ValueError, match=r"encoded numbers are damaged.* vector=1"):
        picked(table_of(damaged, dim=128), [0, 8], 128, dtype)
    positions = replaced(encoded, "positions", np.full_like(encoded.positions, 1024))
    with pytest.raises(ValueError, match="encoded numbers are damaged"):
        picked(table_of(positions, dim=1024), np.arange(encoded.n // 1024), 1024, dtype)


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
    table = table_of(encoded, dim=104)
    if check_floats(encoded) is None:
        gather_float_points(table, rows, out)
        whole = decode_floats(encoded)[: encoded.n // 104 * 104].reshape(-1, 104)
        oracle.assert_same_bits(np.array(out), whole[rows])
        return
    # a fault may lie where no row does
    with contextlib.suppress(ValueError):
        gather_float_points(table, rows, out)
