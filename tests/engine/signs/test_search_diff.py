"""Every difference between a search of two versions has its reason."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.errors import InvalidArgumentError, NotFoundError
from tests.tables import create, make_table

DIM = 8


def line(keys, places):
    """Rows on a line, at these distances from the origin."""
    vectors = np.zeros((len(keys), DIM), np.float32)
    vectors[:, 0] = places
    table = make_table(len(keys))
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM)
    return table.set_column(0, "id", pa.array(keys, pa.int64())).set_column(1, "embedding", column)


@pytest.fixture
def docs(db):
    docs = create(db, options=drift.Options(retained_versions=9, merge_bytes=0))
    docs.add(line(range(1, 21), range(1, 21)))
    docs.flush()
    return docs


def version(docs):
    docs.flush()
    return docs.pin().manifest.version


def changes(docs, before, after, k=3):
    frame = docs.diff(np.zeros(DIM), before, after, k=k)
    return {row["key"]: (row["change"], row["why"]) for row in frame.iter_rows(named=True)}


def test_nothing_changes_between_a_version_and_itself(docs):
    now = version(docs)
    assert changes(docs, now, now) == {1: ("kept", None), 2: ("kept", None), 3: ("kept", None)}


def test_a_deleted_row_makes_room_for_the_next(docs):
    before = version(docs)
    docs.delete(keys=[2])
    after = version(docs)
    assert changes(docs, before, after) == {
        1: ("kept", None),
        2: ("lost", "deleted"),
        3: ("kept", None),
        4: ("gained", "moved"),
    }
    assert changes(docs, after, before)[2] == ("gained", "added")


def test_an_added_row_pushes_the_last_out(docs):
    before = version(docs)
    docs.add(line([99], [0.5]))
    after = version(docs)
    frame = docs.diff(np.zeros(DIM), before, after, k=3)
    assert frame.columns == [
        "query_index", "key", "change", "why", "rank_before", "rank_after", "distance_before", "distance_after",
    ]  # fmt: skip
    assert frame.rows() == [
        (0, 1, "kept", None, 1, 2, 1.0, 1.0),
        (0, 99, "gained", "added", None, 1, None, 0.25),
        (0, 2, "kept", None, 2, 3, 4.0, 4.0),
        (0, 3, "lost", "moved", 3, None, 9.0, None),
    ]


def test_a_replaced_row_is_told_from_one_that_stayed(docs):
    before = version(docs)
    docs.upsert(line([1, 2, 9], [50.0, 1.5, 0.1]))
    after = version(docs)
    assert changes(docs, before, after) == {
        1: ("lost", "replaced"),
        2: ("kept", "replaced"),
        3: ("kept", None),
        9: ("gained", "replaced"),
    }


def test_what_an_approximate_search_did_not_find_is_missed(db):
    # without clusters, neighbours lie in many buckets
    rng = np.random.default_rng(0)
    vectors, queries = rng.normal(size=(4_000, 32)).astype(np.float32), rng.normal(size=(100, 32))
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 32)
    table = make_table(4_000).set_column(1, "embedding", column)
    docs = create(db, table=table, options=drift.Options(retained_versions=9))
    docs.add(table)
    docs.flush()
    before = docs.pin().manifest.version
    # a flush of a third as many rows puts all of them into other buckets: what differs are misses
    docs.add(table.slice(0, 1_400).set_column(0, "id", pa.array(np.arange(5_000, 6_400))))
    docs.flush()
    docs.delete(keys=list(range(5_000, 6_400)))
    after = version(docs)
    frame = docs.diff(queries, before, after, k=20)
    differing = frame.filter(pl.col("change") != "kept")
    exact = {
        name: docs.at(name).search(queries).limit(20).exact().to_polars().select("query_index", "id")
        for name in (before, after)
    }
    for change, name in (("lost", after), ("gained", before)):
        mine = differing.filter(pl.col("change") == change)
        is_near = mine.join(exact[name], left_on=["query_index", "key"], right_on=["query_index", "id"], how="semi")
        assert len(is_near) == len(mine.filter(pl.col("why") == "missed"))
    assert "missed" in set(differing["why"])


def test_string_keys_and_batches_are_explained_too(db):
    table = line(range(6), range(1, 7))
    table = table.set_column(0, "id", pa.array([f"row {number}" for number in range(6)]))
    docs = create(db, table=table, options=drift.Options(retained_versions=9))
    docs.add(table)
    before = version(docs)
    docs.delete(keys=["row 0"])
    after = version(docs)
    frame = docs.diff(np.zeros((2, DIM)), before, after, k=2)
    assert frame["query_index"].to_list() == [0, 0, 0, 1, 1, 1]
    assert frame.filter(pl.col("change") == "lost")["key"].to_list() == ["row 0", "row 0"]


def test_versions_that_are_gone_and_wrong_queries_are_refused(docs):
    now = version(docs)
    with pytest.raises(NotFoundError):
        docs.diff(np.zeros(DIM), 10**6, now)
    with pytest.raises(InvalidArgumentError):
        docs.diff(np.zeros(DIM + 1), now, now)
    with pytest.raises(InvalidArgumentError):
        docs.diff(np.zeros(DIM), now, now, k=0)
