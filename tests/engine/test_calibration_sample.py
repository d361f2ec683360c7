from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine.calibration_sample import draw_samples
from drift_arrow.engine.workers import Workers
from tests import oracle


@pytest.fixture(params=["l2", "cosine", "dot"])
def pinned(request, db):
    """Rows of two segments of which some are dead, and the snapshot that holds them."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((1500, 64)).astype(np.float32)
    docs = db.create_collection(
        "c",
        schema=pa.schema([("id", pa.int64()), ("v", pa.list_(pa.float32(), 64))]),
        vector="v",
        key="id",
        metric=request.param,
        options=drift.Options(merge_bytes=0),
    )
    for start in (0, 700):
        part = rows[start : start + 800] if start else rows[:700]
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(part.reshape(-1)), 64)
        docs.add(pa.table({"id": np.arange(start, start + len(part)), "v": vectors}))
        docs.flush()
    docs.delete(keys=list(range(100, 150)))
    return request.param, rows, docs.pin()


def samples_of(pinned, n_threads=1):
    metric, _, snapshot = pinned
    with Workers(n_threads) as workers:
        return draw_samples(
            snapshot.segments,
            snapshot.segment_set,
            metric,
            seed=1,
            near=(200, 10),
            deep=(20, 100),
            workers=workers,
        )


def test_neighbours_are_the_nearest_live_rows_but_the_query_itself(pinned):
    metric, rows, _ = pinned
    near, deep = samples_of(pinned)
    assert near.neighbours.shape == near.places.shape == (200, 10)
    assert deep.neighbours.shape == deep.places.shape == (20, 100)
    basis = oracle.normalized(rows) if metric == "cosine" else rows
    lengths = np.sqrt(np.square(rows, dtype=np.float64).sum(axis=1)).tolist()
    for length, neighbours in zip(near.lengths.tolist(), near.neighbours, strict=True):
        query = lengths.index(length)
        assert not 100 <= query < 150
        others = np.delete(basis, [query, *range(100, 150)], axis=0)
        truth = np.sort(oracle.scores(others, basis[query], "dot" if metric == "dot" else "l2"))[:10]
        np.testing.assert_allclose(neighbours, truth, rtol=0.03, atol=0.03)


def test_the_deep_sample_continues_the_near_one(pinned):
    near, deep = samples_of(pinned)
    by_length = {length: row for row, length in enumerate(near.lengths.tolist())}
    rows = [by_length[length] for length in deep.lengths.tolist()]
    np.testing.assert_array_equal(deep.neighbours[:, :10], near.neighbours[rows])
    np.testing.assert_array_equal(deep.places[:, :10], near.places[rows])


def test_samples_do_not_depend_on_the_number_of_threads(pinned):
    for one, other in zip(samples_of(pinned, 1), samples_of(pinned, 3), strict=True):
        for name in ("distances", "counts", "lengths", "neighbours", "places"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        assert one.spread == other.spread
