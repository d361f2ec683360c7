import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import LimitExceededError
from drift_arrow.format import pieces
from drift_arrow.format.pieces import take_pieces
from drift_arrow.format.plain import to_plain
from tests.format.samples import arrays

ARRAYS = arrays()


def taken(chunks, rows, kind=None):
    """Rows (chunk, place) of `chunks`, in that order."""
    owners = np.array([owner for owner, _ in rows], dtype=np.int64)
    places = np.array([place for _, place in rows], dtype=np.int64)
    kind = kind or chunks[0].type
    return take_pieces(lambda number, some: pc.take(to_plain(chunks[number]), pa.array(some)), owners, places, kind)


@pytest.mark.parametrize("name", ARRAYS)
def test_rows_of_every_type_come_back_in_their_order(name):
    array = ARRAYS[name]
    rows = [(1, 2), (0, 5), (1, 0), (0, 0), (0, 5)]
    expected = [[array, array.slice(2)][owner][place].as_py() for owner, place in rows]
    found = taken([array, array.slice(2)], rows)
    assert (found.num_chunks, found.type) == (1, array.type)
    assert repr(found.to_pylist()) == repr(expected)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), max_size=20), st.integers(1, 300))
def test_any_rows_come_back_however_small_the_pieces(rows, piece_bytes):
    chunks = [pa.array([f"{letter} {row}" for row in range(4)]) for letter in "abc"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "MAX_PIECE_BYTES", piece_bytes)
        found = taken(chunks, rows)
    assert found.to_pylist() == [f"{'abc'[owner]} {place}" for owner, place in rows]


@pytest.mark.parametrize("name", ARRAYS)
def test_no_rows_are_one_empty_chunk_of_the_type_of_the_column(name):
    found = taken([ARRAYS[name]], [])
    assert (found.num_chunks, len(found), found.type) == (1, 0, ARRAYS[name].type)


def test_rows_past_the_size_of_a_piece_become_several_chunks(monkeypatch):
    monkeypatch.setattr(pieces, "MAX_PIECE_BYTES", 100)
    chunk = pa.array(["x" * 40] * 8)
    assert taken([chunk], [(0, row) for row in range(8)]).num_chunks == 4


def test_a_row_larger_than_a_piece_stands_alone(monkeypatch):
    monkeypatch.setattr(pieces, "MAX_PIECE_BYTES", 100)
    assert taken([pa.array(["x" * 1000, "y"])], [(0, 0), (0, 1)]).to_pylist() == ["x" * 1000, "y"]


def test_more_distinct_values_than_an_index_can_number_become_several_chunks():
    kind = pa.dictionary(pa.int8(), pa.string())
    chunks = [pa.array([f"{part} {i}" for i in range(100)]).dictionary_encode() for part in "ab"]
    rows = [(row % 2, row // 2) for row in range(200)]
    found = taken(chunks, rows, kind)
    assert found.type == kind
    assert found.num_chunks > 1
    assert found.to_pylist() == [f"{'ab'[owner]} {place}" for owner, place in rows]


def test_a_row_of_a_large_dictionary_is_numbered_anew():
    chunk = pa.DictionaryArray.from_arrays(pa.array([199], pa.int32()), pa.array([str(i) for i in range(200)]))
    assert taken([chunk], [(0, 0)], pa.dictionary(pa.int8(), pa.string())).to_pylist() == ["199"]


def test_a_row_of_an_ordered_dictionary_that_no_index_can_number_is_refused():
    words = pa.array([str(i) for i in range(200)])
    chunk = pa.DictionaryArray.from_arrays(pa.array([199], pa.int32()), words, ordered=True)
    with pytest.raises(LimitExceededError):
        taken([chunk], [(0, 0)], pa.dictionary(pa.int8(), pa.string(), ordered=True))


def test_each_chunk_is_asked_for_once():
    asked = []

    def chunk(number, places):
        asked.append((number, places.tolist()))
        return pa.array(places)

    take_pieces(chunk, np.array([5, 2, 5, 2]), np.array([0, 1, 2, 0]), pa.int64())
    assert sorted(asked) == [(2, [1, 0]), (5, [0, 2])]
