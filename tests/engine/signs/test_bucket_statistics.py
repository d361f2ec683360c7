"""Statistics of buckets are those of the rows that are alive, whatever has happened to the collection."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine.signs.bucket_statistics import measure_buckets
from drift_arrow.engine.snapshot import live_mask
from tests import oracle
from tests.tables import create, make_table, matrix_of

METRICS = ["l2", "cosine", "dot"]


def rows_of(snapshot):
    """(segment, bucket, vectors of live rows, of all rows, centroid) of each bucket."""
    for number, view in enumerate(snapshot.segments):
        reader, alive = view.reader, live_mask(view)
        vectors = view.vectors(np.arange(view.n_rows)).astype(float)
        if reader.metric == "cosine":
            vectors = oracle.normalized(vectors)
        for bucket in range(reader.n_buckets):
            part = slice(reader.offsets[bucket], reader.offsets[bucket + 1])
            yield number, bucket, vectors[part][alive[part]], vectors[part], reader.centroids[bucket].astype(float)


def rms(rows, centre):
    return np.sqrt(oracle.squares(rows - centre).mean()) if len(rows) else 0.0


def churned(db, metric):
    docs = create(db, metric=metric, options=drift.Options(merge_bytes=0))
    for start in (0, 3_000):
        docs.add(make_table(2_000, start=start))
        docs.flush()
    matrix = matrix_of(make_table(2_000))
    docs.delete(keys=np.flatnonzero(matrix[:, 0] > 0).tolist())
    return docs


@pytest.mark.parametrize("metric", METRICS)
def test_statistics_are_those_of_plain_numpy(db, metric):
    snapshot = churned(db, metric).pin()
    found = measure_buckets(snapshot)
    assert len(found) == len(snapshot.segment_set.centroids)
    for place, (segment, bucket, live, rows, centroid) in enumerate(rows_of(snapshot)):
        assert (found.segment[place], found.bucket[place]) == (segment, bucket)
        assert (found.live[place], found.dead[place]) == (len(live), len(rows) - len(live))
        coarse = 0.02 * rms(rows, centroid)
        assert found.radius[place] == pytest.approx(rms(live, centroid), abs=coarse)
        if not len(live):
            assert found.drift[place] == found.quantisation_error[place] == found.range_shift[place] == 0
            continue
        mean = live.mean(axis=0)
        if metric == "cosine":
            mean = oracle.normalized(mean[np.newaxis])[0]
        np.testing.assert_allclose(found.means[place], mean, atol=coarse)
        shift = np.sqrt(oracle.squares(mean - centroid))
        assert found.drift[place] * rms(rows, centroid) == pytest.approx(shift, abs=2 * coarse)
        widths, left = np.ptp(rows, axis=0).sum(), np.ptp(live, axis=0).sum()
        assert found.range_shift[place] == pytest.approx(1 - left / widths if widths else 0, abs=0.01)


def test_deleting_one_side_of_the_space_shows_as_drift(db):
    docs = create(db)
    docs.add(make_table(4_000))
    docs.flush()
    fresh = measure_buckets(docs.pin())
    assert np.median(fresh.drift) < 0.25
    assert not fresh.dead.any()
    one_sided = np.random.default_rng(0).normal(size=8)
    docs.delete(keys=np.flatnonzero(matrix_of(make_table(4_000)) @ one_sided > 0).tolist())
    after = measure_buckets(docs.pin())
    split = (after.dead > 0) & (after.live > 10)
    assert after.drift[split].mean() > 1.5 * fresh.drift[split].mean()
    assert after.range_shift[split].mean() > 0.05


def test_drift_does_not_depend_on_scale_or_origin(db):
    table = make_table(2_000)
    matrix = matrix_of(table)
    drifts = []
    for name, values in (("plain", matrix), ("moved", (matrix * 64 + 512).astype(np.float32))):
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[1])
        docs = create(db, name, table=table)
        docs.add(table.set_column(1, "embedding", column))
        docs.flush()
        docs.delete(keys=list(range(0, 2_000, 3)))
        drifts.append(np.sort(measure_buckets(docs.pin()).drift))
    np.testing.assert_allclose(drifts[0], drifts[1], atol=0.05)


def test_statistics_survive_a_reopening(root):
    with drift.connect(root) as db:
        docs = churned(db, "l2")
        docs.flush()
        before = measure_buckets(docs.pin())
    with drift.connect(root) as db:
        after = measure_buckets(db.collection("docs").pin())
    for name in ("live", "dead", "drift", "radius", "quantisation_error", "range_shift"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name), err_msg=name)


def test_a_snapshot_keeps_its_statistics_while_rows_die(db):
    docs = create(db)
    docs.add(make_table(1_000))
    docs.flush()
    old = docs.pin()
    before = measure_buckets(old)
    docs.delete(keys=list(range(500)))
    assert measure_buckets(docs.pin()).dead.sum() == 500
    again = measure_buckets(old)
    assert not again.dead.any()
    np.testing.assert_array_equal(again.drift, before.drift)


def test_a_collection_without_segments_has_no_buckets(db):
    docs = create(db)
    docs.add(make_table(10))
    found = measure_buckets(docs.pin())
    assert len(found) == 0
    assert found.target_rows == 1
    assert found.means.shape == (0, 8)


def test_age_counts_operations_since_the_newest_row(db):
    docs = create(db, options=drift.Options(merge_bytes=0))
    docs.add(make_table(100))
    docs.flush()
    docs.add(make_table(100, start=100))
    docs.flush()
    docs.delete(keys=[1])
    found = measure_buckets(docs.pin())
    ages = [found.age[found.segment == number].tolist() for number in (0, 1)]
    assert ages[0][0] > ages[1][0] >= 1


def test_rows_are_of_age_zero_right_after_they_were_flushed(db):
    docs = create(db)
    docs.add(make_table(300))
    docs.flush()
    assert measure_buckets(docs.pin()).age.min() == 0
