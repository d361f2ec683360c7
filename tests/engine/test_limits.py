"""Every limit of `options` is checked before anything is allocated or written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine import ingest
from drift_arrow.errors import InvalidArgumentError, LimitExceededError
from drift_arrow.options import MAX_DIM, MAX_FILTER_CHARS, MAX_K
from tests.tables import DIM, create, make_table


def test_a_vector_has_at_most_max_dim_dimensions(db):
    for dim in (0, MAX_DIM + 1, 2**31 - 1):
        schema = pa.schema({"id": pa.int64(), "v": pa.list_(pa.float32())})
        with pytest.raises(InvalidArgumentError, match=str(MAX_DIM)):
            db.create_collection("docs", schema=schema, vector="v", key="id", dim=dim)
    assert db.list_collections() == []


def test_a_batch_has_at_most_max_batch_bytes(db, monkeypatch):
    docs = create(db)
    table = make_table(100)
    before = docs.stats()
    monkeypatch.setattr(ingest, "MAX_BATCH_BYTES", table.nbytes - 1)
    for write in (docs.add, docs.upsert):
        with pytest.raises(LimitExceededError, match="slices"):
            write(table)
    assert docs.stats() == before
    assert docs.add(table.slice(0, 50)) == 50


def test_a_query_asks_for_at_most_max_k_rows(db):
    docs = create(db)
    search = docs.search([0.0] * DIM)
    for k in (0, -1, MAX_K + 1, 2**63, True):
        with pytest.raises(InvalidArgumentError, match=str(MAX_K)):
            search.limit(k)
    with pytest.raises(InvalidArgumentError, match=str(MAX_K)):
        search.offset(MAX_K).limit(1).to_arrow()


def test_a_condition_has_at_most_max_filter_chars(db):
    docs = create(db)
    where = "id = 1" + " " * (MAX_FILTER_CHARS - 5)
    for call in (lambda: docs.search([0.0] * DIM).where(where).to_arrow(), lambda: docs.delete(where=where)):
        with pytest.raises(LimitExceededError, match=str(MAX_FILTER_CHARS)):
            call()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(db, bad):
    docs = create(db)
    table = make_table(3)
    vectors = np.zeros((3, DIM), np.float32)
    vectors[1, 2] = bad
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM)
    with pytest.raises(InvalidArgumentError, match="NaN or infinity"):
        docs.add(table.set_column(1, "embedding", column))
    with pytest.raises(InvalidArgumentError, match="NaN or infinity"):
        docs.search(vectors[1])
    assert len(docs) == 0


@pytest.mark.parametrize("name", ["retained_versions", "retained_seconds", "memtable_bytes"])
@pytest.mark.parametrize("value", [-1, 2**53, 1.0, "1", None, True])
def test_settings_outside_of_their_range_are_refused(name, value):
    with pytest.raises(InvalidArgumentError, match=name):
        drift.Options(**{name: value})


def test_a_retention_of_no_seconds_is_one_and_of_no_versions_is_none():
    assert drift.Options(retained_seconds=0).retained_seconds == 0
    with pytest.raises(InvalidArgumentError, match="from 1"):
        drift.Options(retained_versions=0)
