"""Arguments that raised errors of other packages, or were taken for something else."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError, InvalidArgumentError, StorageError
from tests.tables import DIM, create, make_table, matrix_of


@pytest.fixture(params=["memtable", "segment"])
def docs(request, db):
    docs = create(db)
    docs.add(make_table(300))
    if request.param == "segment":
        docs.flush()
    return docs


def test_a_query_of_arrow_must_be_finite_too(docs):
    query = pa.array([[float("nan")] * DIM], pa.list_(pa.float32(), DIM))
    with pytest.raises(InvalidArgumentError, match="NaN"):
        docs.search(query)


def test_a_search_keeps_its_query_when_the_array_is_written_to(docs):
    query = matrix_of(make_table(300))[0].copy()
    search = docs.search(query).limit(1)
    query[:] = 0
    assert search.to_arrow()["id"].to_pylist() == [0]


def test_no_queries_have_no_rows(docs):
    nothing = docs.search(np.empty((0, DIM)))
    for search in (nothing, nothing.exact(), nothing.group_by("lang"), nothing.where("id < 3")):
        assert search.to_arrow().num_rows == 0
        assert search.to_arrow().column_names[0] == "query_index"
    assert len(nothing.explain()) == len(nothing.analyze().frame) == 0
    assert str(nothing.analyze())


@pytest.mark.parametrize("rows", [0, -1, 1.5, True, None])
def test_batches_have_a_row_at_least(docs, rows):
    with pytest.raises(InvalidArgumentError, match="batch_rows"):
        docs.to_batches(["id"], rows)


@pytest.mark.parametrize("columns", [["id", "id"], ["nope"], 5, [["id"]]])
def test_columns_are_names_that_exist_and_come_once(docs, columns):
    for read in (
        lambda: docs.get([1], columns),
        lambda: docs.to_batches(columns),
        lambda: docs.search([0] * DIM).select(columns),
    ):
        with pytest.raises(InvalidArgumentError, match="column"):
            read()


def test_a_string_is_one_column(docs):
    assert docs.get([1], "id").column_names == ["id"]
    assert next(docs.to_batches("id")).schema.names == ["id"]


@pytest.mark.parametrize("recall", ["0.9", None, 1, float("nan")])
def test_a_target_recall_is_a_number_between_0_and_1(docs, recall):
    with pytest.raises(InvalidArgumentError, match="target recall"):
        docs.search([0] * DIM).target_recall(recall)


@pytest.mark.parametrize("name", [None, 5, b"docs"])
def test_names_are_strings(db, docs, name):
    for use in (db.collection, db.drop_collection, docs.tag, docs.untag):
        with pytest.raises(InvalidArgumentError, match="1 to 63"):
            use(name)


def test_a_schema_and_options_are_of_their_types(db):
    table = make_table(1)
    with pytest.raises(InvalidArgumentError, match="schema must be"):
        db.create_collection("other", schema=pl.DataFrame(table), vector="embedding", key="id")
    with pytest.raises(InvalidArgumentError, match="options are"):
        db.create_collection("other", schema=table.schema, vector="embedding", key="id", options={"seed": 1})


def test_data_that_is_no_table_is_refused_with_our_error(docs):
    whole = make_table(2).to_batches()[0]
    for data in ([whole, whole.drop_columns(["lang"])], pl.LazyFrame({"a": [1]}).select("nope")):
        with pytest.raises(InvalidArgumentError, match="no table"):
            docs.add(data)


def test_a_repr_leaves_an_error_of_the_janitor_to_the_next_caller(docs):
    docs._core.report_background_error(StorageError("disk full"))
    assert "300 rows" in repr(docs)
    with pytest.raises(StorageError, match="disk full"):
        docs.pin()


def test_an_error_about_damage_survives_pickling_and_copying():
    error = CorruptionError("bad checksum", path="segments/x.drift", offset=4096)
    error.add_note("seen by a worker")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (str(twin), twin.path, twin.offset) == (str(error), error.path, error.offset)
        assert twin.__notes__ == ["seen by a worker"]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_handle_cannot_be_copied(docs, duplicate):
    with pytest.raises(InvalidArgumentError, match="open the collection again"):
        duplicate(docs)
    assert len(docs) == 300


def test_a_lazy_frame_over_a_file_that_is_gone_is_refused_by_name(db, tmp_path):
    with pytest.raises(InvalidArgumentError, match=r"gone\.parquet"):
        create(db).add(pl.scan_parquet(tmp_path / "gone.parquet"))
