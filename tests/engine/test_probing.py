from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine.calibrate import refreshed
from drift_arrow.engine.probing import scan_ranked
from drift_arrow.engine.stop import choose_stop
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.calibration import Calibration, Curve
from drift_arrow.kernels import bitmap
from tests.tables import DIM, create, make_table, matrix_of

METRICS = ["l2", "cosine", "dot"]
N_ROWS, DIM_CLUSTERED, K = 20_000, 32, 10


def clustered(n, *, seed, shift=0.0):
    """Rows and queries of 200 clusters that overlap: neighbours are spread over several buckets."""
    centres = np.random.default_rng(0).standard_normal((200, 10))
    lift = np.random.default_rng(1).standard_normal((10, DIM_CLUSTERED))
    random = np.random.default_rng(seed)
    inner = shift + centres[random.integers(0, 200, n)] + 0.8 * random.standard_normal((n, 10))
    return (inner @ lift + 0.05 * random.standard_normal((n, DIM_CLUSTERED))).astype(np.float32)


def table_of(vectors, start=0):
    vector = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), vectors.shape[1])
    return pa.table({"id": pa.array(np.arange(start, start + len(vectors))), "v": vector})


def true_neighbours(docs, queries, k=K, where="id >= 0"):
    found = docs.search(queries).where(where).limit(k).exact().select(["id"]).to_arrow()
    return found["id"].to_numpy().reshape(-1, k).tolist()


def recall_of(search, truth, k=K):
    found = search.limit(k).select(["id"]).to_arrow()["id"].to_numpy().reshape(-1, k)
    return np.mean([len({*row} & {*want}) / k for row, want in zip(found.tolist(), truth, strict=True)])


@pytest.fixture(scope="module", params=METRICS)
def searched(request, tmp_path_factory):
    """A flushed collection of two segments, and queries that it was not calibrated with."""
    vectors = clustered(N_ROWS, seed=2)
    with drift.connect(str(tmp_path_factory.mktemp("probing"))) as db:
        docs = db.create_collection(
            "c",
            schema=table_of(vectors[:1]).schema,
            vector="v",
            key="id",
            metric=request.param,
            options=drift.Options(merge_bytes=0),
        )
        for start in (0, 12_000):
            docs.add(table_of(vectors[start : (12_000, N_ROWS)[start > 0]], start))
            docs.flush()
        assert docs.stats().segments == 2
        yield docs, clustered(500, seed=3)


@pytest.mark.parametrize("target", [0.8, 0.9, 0.95, 0.99])
def test_recall_is_near_its_target_on_queries_that_calibration_never_saw(searched, target):
    docs, queries = searched
    truth = true_neighbours(docs, queries)
    # 500 queries leave a standard error of about .01
    assert recall_of(docs.search(queries).target_recall(target), truth) == pytest.approx(target, abs=0.03)


@pytest.mark.parametrize("k", [1, 3, 30, 100])
def test_recall_is_near_its_target_at_other_limits(searched, k):
    docs, queries = searched
    truth = true_neighbours(docs, queries, k)
    assert recall_of(docs.search(queries).target_recall(0.9), truth, k) == pytest.approx(0.9, abs=0.05)


def test_a_higher_target_scans_more(searched):
    docs, queries = searched
    snapshot = docs.pin()
    segments, calibration = snapshot.segment_set, snapshot.manifest.calibration
    counts = []
    for target in (0.3, 0.6, 0.9, 0.99, 0.9999):
        stop = choose_stop(
            calibration, len(segments.centroids), N_ROWS, target_recall=target, n_probe=None, k=K, selectivity=1.0
        )
        probed = scan_ranked(queries, segments, allowed=None, metric=docs.metric, stop=stop, n_candidates=4 * K)
        counts.append(probed.counts.mean())
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] / 4
    assert counts[-1] == len(segments.centroids)


def test_a_query_probes_the_same_buckets_alone_and_in_a_batch(searched):
    docs, queries = searched
    together = docs.search(queries[:40]).to_arrow()
    alone = pa.concat_tables([docs.search(query).to_arrow() for query in queries[:40]])
    assert together.drop_columns(["query_index"]).equals(alone)


def test_as_many_buckets_as_nprobe_are_scanned(searched):
    docs, queries = searched
    truth = true_neighbours(docs, queries[:50])
    recalls = [recall_of(docs.search(queries[:50]).nprobe(n), truth) for n in (1, 4, 16, 10**6)]
    assert recalls == sorted(recalls)
    assert recalls[0] < 0.7
    assert recalls[-1] == 1


@pytest.mark.parametrize("nprobe", [None, 1])
def test_k_rows_come_back_however_few_match(searched, nprobe):
    docs, queries = searched
    condition = f"id % 97 = 0 OR id < {K}"
    search = docs.search(queries[:20]).where(condition).limit(K)
    found = (search if nprobe is None else search.nprobe(nprobe)).to_arrow()
    assert np.bincount(found["query_index"].to_numpy()).tolist() == [K] * 20


def test_a_filter_keeps_the_recall(searched):
    docs, queries = searched
    truth = true_neighbours(docs, queries, where="id % 5 = 0")
    assert recall_of(docs.search(queries).where("id % 5 = 0").target_recall(0.9), truth) >= 0.87


def test_a_filter_that_keeps_only_far_rows_is_searched_with_care(db):
    near, far = clustered(6_000, seed=2), clustered(6_000, seed=4, shift=3.0)
    docs = db.create_collection("c", schema=table_of(near[:1]).schema, vector="v", key="id")
    docs.add(table_of(np.concatenate([near, far])))
    docs.flush()
    queries = clustered(100, seed=3)
    truth = true_neighbours(docs, queries, where="id >= 6000")
    assert recall_of(docs.search(queries).where("id >= 6000"), truth) >= 0.95


def test_a_collection_of_few_rows_needs_no_calibration(db):
    docs = create(db)
    docs.add(make_table(40))
    docs.flush()
    assert docs.pin().manifest.calibration is None
    assert len(docs.search(matrix_of(make_table(1))[0]).to_arrow()) == 10


def test_the_calibration_survives_reopening(db):
    docs = create(db)
    docs.add(make_table(3_000))
    docs.flush()
    before = docs.pin().manifest.calibration
    docs.close()
    assert before is not None
    assert db.collection("docs").pin().manifest.calibration == before


def test_equal_rows_can_be_calibrated(db):
    docs, table = create(db), make_table(500)
    same = pa.FixedSizeListArray.from_arrays(pa.array(np.ones(500 * DIM, np.float32)), DIM)
    place = table.schema.get_field_index(docs.vector)
    docs.add(table.set_column(place, table.schema.field(place), same))
    docs.flush()
    found = docs.search(np.ones(DIM, np.float32)).to_arrow()
    assert found["_distance"].to_pylist() == [0] * 10


def test_a_calibration_is_kept_until_a_fifth_of_the_rows_changed(searched):
    docs, _ = searched
    snapshot = docs.pin()
    known = snapshot.manifest.calibration
    assert isinstance(known, Calibration)
    state = (snapshot.segments, snapshot.segment_set, docs.metric, 0)
    assert refreshed(known, *state) is known
    old = replace(known, n_rows=5_000)
    assert refreshed(old, *state) == known


def test_a_calibration_does_not_fit_once_many_rows_were_replaced_by_as_many(db):
    docs = create(db)
    docs.add(make_table(2_000))
    docs.flush()
    known, maintenance = docs.pin().manifest, docs._core.maintenance
    docs.upsert(make_table(500, seed=3))
    assert maintenance.fitting(known) is known.calibration
    docs.upsert(make_table(200, start=500, seed=3))
    assert maintenance.fitting(known) is None
    docs.flush()
    assert len(docs) == known.calibration.n_rows == docs.pin().manifest.calibration.n_rows
    assert maintenance.fitting(docs.pin().manifest) is docs.pin().manifest.calibration


def test_deleted_rows_are_neither_queries_nor_neighbours_of_a_calibration(db):
    docs = create(db)
    docs.add(make_table(3_000))
    docs.flush()
    docs.delete(keys=list(range(2_900)))
    docs.flush()
    snapshot = docs.pin()
    calibration = refreshed(None, snapshot.segments, snapshot.segment_set, docs.metric, 0)
    assert calibration is not None
    assert calibration.n_rows == 100


CURVES = (
    Curve(k=1, shares=(0.1, 0.2, 0.6), scanned=(0.01, 0.02, 0.06)),
    Curve(k=10, shares=(0.2, 0.4, 0.8), scanned=(0.02, 0.04, 0.08)),
)
MODEL = Calibration(n_rows=1, n_buckets=1, spread=1.0, effective_dim=8.0, recalls=(0.5, 0.9, 0.99), curves=CURVES)


@pytest.mark.parametrize(
    ("target", "k", "selectivity", "share"),
    [
        # a search aims a hundredth higher than its target, or a quarter of the misses, but not beyond what is measured
        (0.89, 1, 1.0, 0.2),
        (0.89, 10, 1.0, 0.4),
        (0.89, 1, 0.1, 0.4),
        (0.99, 10, 1.0, 0.8),
        (0.74 / 0.75, 10, 1.0, 0.8),
        (0.1, 10, 1.0, 0.2),
        (0.999, 10, 1.0, 1.0),
    ],
)
def test_the_share_is_read_off_the_curves(target, k, selectivity, share):
    stop = choose_stop(MODEL, 100, 1000, target_recall=target, n_probe=None, k=k, selectivity=selectivity)
    assert stop.rule.share == pytest.approx(share)


def test_shares_between_and_beyond_the_curves_ascend():
    def share(target, k):
        return choose_stop(MODEL, 100, 1000, target_recall=target, n_probe=None, k=k, selectivity=1.0).rule.share

    by_target = [share(target, 10) for target in np.linspace(0.01, 0.999, 50)]
    by_k = [share(0.95, k) for k in (1, 2, 5, 10, 50, 1000, 10_000)]
    assert by_target == sorted(by_target)
    assert by_k == sorted(by_k)
    assert by_k[-1] <= 1


@pytest.mark.parametrize("recall", [0, 1, 1.5, -0.1, float("nan")])
def test_a_target_outside_of_zero_to_one_is_refused(db, recall):
    with pytest.raises(InvalidArgumentError, match="exact"):
        create(db).search(np.ones(DIM, np.float32)).target_recall(recall)


@pytest.mark.parametrize("buckets", [0, -1, 1.5, True])
def test_an_nprobe_that_is_no_positive_int_is_refused(db, buckets):
    with pytest.raises(InvalidArgumentError, match="nprobe"):
        create(db).search(np.ones(DIM, np.float32)).nprobe(buckets)


def test_the_last_of_exact_nprobe_and_target_wins(db):
    search = create(db).search(np.ones(DIM, np.float32))
    assert repr(search.exact().nprobe(3)).endswith(".limit(10).nprobe(3)")
    assert repr(search.nprobe(3).target_recall(0.8)).endswith(".limit(10).target_recall(0.8)")
    assert repr(search.nprobe(3).exact()).endswith(".limit(10).exact()")


def test_a_filter_moves_rows_out_of_reach_of_the_first_buckets(searched):
    docs, queries = searched
    segments = docs.pin().segment_set
    mask = np.zeros(segments.n_ids, np.bool_)
    mask[-5:] = True
    stop = choose_stop(None, len(segments.centroids), N_ROWS, target_recall=0.9, n_probe=1, k=5, selectivity=1.0)
    allowed = bitmap.from_mask(mask)
    probed = scan_ranked(queries[:3], segments, allowed=allowed, metric=docs.metric, stop=stop, n_candidates=K)
    assert (probed.counts > 1).all()
