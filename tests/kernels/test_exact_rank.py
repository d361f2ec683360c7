from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.kernels.distance import exact_distances
from drift_arrow.kernels.encoded_floats import check_floats
from drift_arrow.kernels.exact_rank import rank_exactly
from drift_arrow.kernels.floats import encode_floats
from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.row_table import RowTable, floats_line, plain_line

METRICS = ["l2", "cosine", "dot"]


def plain_table(rows):
    return RowTable.of(np.array([0, len(rows)]), [plain_line(rows.size, address_of(rows))], [rows])


def ranked(*arguments):
    ranks = rank_exactly(*arguments)
    assert ranks is not None
    return ranks


def wanted(rows, query, ids, metric):
    """Ids and distances in order, NaN last."""
    ids = np.array([row for row in ids if row >= 0], np.int64)
    distances = exact_distances(rows[ids], query, metric)
    order = np.lexsort((ids, distances))
    return ids[order].tolist(), distances[order]


@pytest.fixture(scope="module")
def rows():
    # of few values, so that distances tie
    return np.random.default_rng(0).integers(-2, 3, (300, 5)).astype(np.float32)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_candidates", [0, 1, 2, 31, 32, 33, 34, 200])
def test_candidates_come_back_in_the_order_of_their_exact_distances(rows, metric, n_candidates):
    random = np.random.default_rng(n_candidates)
    queries = random.standard_normal((3, 5)).astype(np.float32)
    ids = np.stack([random.choice(300, n_candidates, replace=False) for _ in queries]).reshape(3, -1)
    ids[random.random(ids.shape) < 0.2] = -1
    before = ids.copy()
    ranks = ranked(queries, ids, plain_table(rows), metric, 4)
    for q, query in enumerate(queries):
        want, distances = wanted(rows, query, before[q].tolist(), metric)
        assert ranks.counts[q] == len(want)
        assert ranks.ids[q].tolist() == want + [-1] * (n_candidates - len(want))
        assert ranks.distances[q, : len(want)].tobytes() == distances.tobytes()
        assert ranks.is_tied[q] == any(distances[i] == distances[i + 1] for i in range(min(4, len(want) - 1)))


def test_a_tie_behind_the_last_place_does_not_count():
    rows = np.array([[0], [1], [2], [-2], [3]], np.float32)
    query, ids = np.zeros((1, 1), np.float32), np.arange(5)[np.newaxis]
    assert not ranked(query, ids.copy(), plain_table(rows), "l2", 2).is_tied[0]
    assert ranked(query, ids.copy(), plain_table(rows), "l2", 3).is_tied[0]


def test_known_distances_are_taken_as_they_are():
    rows = np.array([[5], [1], [3]], np.float32)
    known = np.array([[0.5, np.nan, np.nan, 9.0]], np.float32)
    ids = np.array([[0, 1, -1, 2]])
    ranks = ranked(np.zeros((1, 1), np.float32), ids, plain_table(rows), "l2", 3, known)
    assert ranks.ids.tolist() == [[0, 1, 2, -1]]
    assert ranks.distances[0, :3].tolist() == [0.5, 1.0, 9.0]


@pytest.mark.parametrize("dim", [1, 7, 128, 1500])
def test_encoded_rows_are_found_as_plain_ones(dim):
    rows = np.random.default_rng(dim).integers(0, 256, (40, dim)).astype(np.float32)
    encoded = encode_floats(rows.reshape(-1))
    check_floats(encoded)
    table = RowTable.of(np.array([0, 40]), [floats_line(encoded)], [encoded])
    query = rows[:1] + np.float32(0.5)
    ranks = [ranked(query, np.arange(40)[np.newaxis], some, "l2", 3) for some in (table, plain_table(rows))]
    assert ranks[0].ids.tolist() == ranks[1].ids.tolist()
    assert ranks[0].distances.tobytes() == ranks[1].distances.tobytes()


def test_a_row_of_an_absent_block_is_not_ranked(rows):
    table = RowTable.of(np.array([0, 300, 310]), [plain_line(rows.size, address_of(rows)), None], [rows])
    ids = np.array([[301, -1, 4]])
    assert rank_exactly(rows[:1], ids, table, "l2", 1) is None
    assert sorted(ids[0].tolist()) == [-1, 4, 301]


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0, np.inf, np.nan]), max_size=80), st.randoms())
def test_any_known_distances_are_sorted_as_numpy_does(values, random):
    ids = list(range(len(values)))
    random.shuffle(ids)
    known = np.array(values, np.float32)[np.newaxis]
    rows = np.full((len(values), 1), np.nan, np.float32)
    numbers = np.array(ids, np.int64)[np.newaxis]
    order = np.lexsort((numbers[0], known[0]))
    want = numbers[0][order].tolist()
    query = np.zeros((1, 1), np.float32)
    assert ranked(query, numbers.copy(), plain_table(rows), "l2", 1, known).ids[0].tolist() == want


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"queries": np.zeros((1, 5))}, "queries"),
        ({"ids": np.zeros((2, 3), np.int64)}, "ids"),
        ({"ids": np.zeros((1, 3), np.int32)}, "ids"),
        ({"ids": np.full((1, 3), 300)}, "no such row"),
        ({"metric": "l1"}, "metric"),
        ({"distances": np.zeros((1, 4), np.float32)}, "distances"),
    ],
)
def test_wrong_arguments_are_refused(rows, change, named):
    right = {
        "queries": rows[:1],
        "ids": np.zeros((1, 3), np.int64),
        "table": plain_table(rows),
        "metric": "l2",
        "k": 1,
    }
    with pytest.raises(ValueError, match=named):
        rank_exactly(**(right | change))
