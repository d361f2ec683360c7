from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from drift_arrow.errors import (
    AlreadyExistsError,
    DriftError,
    InvalidArgumentError,
    LimitExceededError,
    NotFoundError,
)
from tests.tables import DIM, create, make_table, matrix_of


def ids(docs) -> list[int]:
    return sorted(docs.scan().collect()["id"].to_list())


def test_added_rows_are_found_at_once(any_db):
    docs, table = create(any_db), make_table(100)
    assert docs.add(table) == 100
    assert len(docs) == 100
    nearest = docs.search(matrix_of(table)[17]).limit(1).to_arrow()
    assert (nearest["id"][0].as_py(), nearest["_distance"][0].as_py()) == (17, 0.0)


@pytest.mark.parametrize(
    "convert",
    [
        lambda t: t,
        lambda t: t.combine_chunks().to_batches()[0],
        lambda t: t.to_batches(max_chunksize=7),
        lambda t: t.to_reader(max_chunksize=9),
        pl.from_arrow,
        lambda t: pl.DataFrame(t).lazy(),
        lambda t: t.to_pandas(),
        lambda t: t.select(["price", "embedding", "lang", "id"]),
        lambda t: t.slice(3),
    ],
    ids=["table", "batch", "batches", "reader", "polars", "lazy", "pandas", "reordered", "sliced"],
)
def test_a_table_of_any_kind_goes_in_unchanged(db, convert):
    docs, table = create(db), make_table(50)
    n_rows = docs.add(convert(table))
    assert docs.get(list(range(50 - n_rows, 50))).equals(table.slice(50 - n_rows).combine_chunks())


@pytest.mark.parametrize("flushed", [False, True], ids=["memtable", "segment"])
@pytest.mark.parametrize("value_type", [pa.float16(), pa.float32(), pa.float64()], ids=str)
def test_vectors_of_each_float_type_come_back_unchanged(db, value_type, flushed):
    values = np.random.default_rng(1).normal(size=20 * DIM).astype(value_type.to_pandas_dtype())
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(values, value_type), DIM)
    table = pa.table({"id": pa.array(range(20), pa.int64()), "embedding": vectors})
    docs = create(db, table=table)
    docs.add(table)
    if flushed:
        docs.flush()
    assert docs.get(range(20)).column("embedding").combine_chunks().equals(vectors)
    assert docs.search(values[:DIM].astype(np.float32)).limit(1).to_arrow()["id"][0].as_py() == 0


def test_list_vectors_are_accepted_once_the_dimension_is_told(db):
    table = pa.table({"id": pa.array([1, 2], pa.int64()), "embedding": pa.array([[1.0, 2.0], [3.0, 4.0]])})
    with pytest.raises(InvalidArgumentError, match="dim="):
        create(db, table=table)
    docs = create(db, table=table, dim=2)
    docs.add(table)
    assert docs.get([2])["embedding"].to_pylist() == [[3.0, 4.0]]
    with pytest.raises(InvalidArgumentError, match="row=1"):
        docs.add(table.set_column(1, "embedding", pa.array([[1.0, 2.0], [3.0]])))


PAYLOADS = {
    "bool": pa.array([True, None, False]),
    "uint8": pa.array([1, None, 255], pa.uint8()),
    "float16": pa.array(np.array([1, 2, 3], np.float16)),
    "decimal": pa.array([decimal.Decimal("1.10"), None, decimal.Decimal("-2.25")], pa.decimal128(10, 2)),
    "decimal256": pa.array([decimal.Decimal("1.1"), None, None], pa.decimal256(50, 2)),
    "date": pa.array([dt.date(2020, 1, 1), None, dt.date(1900, 1, 1)]),
    "time": pa.array([1, None, 3], pa.time64("ns")),
    "timestamp": pa.array([1, None, 3], pa.timestamp("us", "Europe/Berlin")),
    "duration": pa.array([1, None, 3], pa.duration("ms")),
    "interval": pa.array([None, (1, 2, 3), None], pa.month_day_nano_interval()),
    "string": pa.array(["", None, "grüße"]),
    "large_string": pa.array(["a", None, "b"], pa.large_string()),
    "string_view": pa.array(["a", None, "a string that is longer than twelve bytes"], pa.string_view()),
    "binary": pa.array([b"", None, b"\x00\xff"]),
    "binary_view": pa.array([b"a", None, b"bb"], pa.binary_view()),
    "fixed_binary": pa.array([b"ab", None, b"cd"], pa.binary(2)),
    "null": pa.nulls(3),
    "dictionary": pa.array(["a", None, "a"]).dictionary_encode(),
    "list": pa.array([[1, None], None, []], pa.list_(pa.int64())),
    "list_view": pa.array([[1], None, [2, 3]], pa.list_view(pa.int64())),
    "map": pa.array([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "struct": pa.array([{"a": 1, "b": None}, None, {"a": None, "b": "x"}]),
    "nested": pa.array([[{"a": ["x", None]}], None, []]),
    "run_end": pa.RunEndEncodedArray.from_arrays([2, 3], ["x", "y"]),
    "union": pa.UnionArray.from_sparse(
        pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])]
    ),
    "extension": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"a" * 16, None, b"b" * 16], pa.binary(16))),
}


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_payload_of_any_type_comes_back_unchanged_from_memtable_segment_and_log(root, payload):
    import drift_arrow as drift

    table = make_table(3).select(["id", "embedding"]).append_column("payload", payload)
    with drift.connect(root) as db:
        docs = create(db, table=table)
        docs.add(table)
        from_memtable = docs.get([0, 1, 2], ["payload"])
    with drift.connect(root) as db:
        docs = db.collection("docs")
        from_log = docs.get([2, 0], ["payload"])
        docs.flush()
        from_segment = docs.get([0, 1, 2], ["payload"])
    expected = pa.table({"payload": payload})
    for found in (from_memtable, from_segment):
        found.validate(full=True)
        assert found.schema.field("payload").type == payload.type
        assert found.to_pylist() == expected.to_pylist()
    assert from_log.to_pylist() == [expected.to_pylist()[2], expected.to_pylist()[0]]


def test_schema_and_field_metadata_survive(db):
    table = make_table(3)
    field = table.schema.field("price").with_metadata({"unit": "EUR"})
    schema = table.schema.set(3, field).with_metadata({"owner": "shop"})
    docs = db.create_collection("docs", schema=schema, vector="embedding", key="id")
    docs.add(table)
    docs.flush()
    found = docs.get([1])
    assert found.schema.field("price").metadata == {b"unit": b"EUR"}
    assert found.schema.metadata == {b"owner": b"shop"}


@pytest.mark.parametrize(
    "keys", [pa.array([2**63, 5], pa.uint64()), pa.array(["b", "ä" * 300]), pa.array(["", "x"], pa.large_string())]
)
def test_keys_are_int64_uint64_or_string(db, keys):
    table = make_table(2).set_column(0, "id", keys)
    docs = create(db, table=table)
    docs.add(table)
    with pytest.raises(AlreadyExistsError):
        docs.add(table.slice(1))
    docs.flush()
    with pytest.raises(AlreadyExistsError):
        docs.add(table.slice(1))
    assert docs.delete(keys=keys.slice(1)) == 1
    assert docs.scan().collect()["id"].to_list() == [keys[0].as_py()]


@pytest.mark.parametrize("flushed", [False, True])
def test_adding_an_existing_key_names_it_and_writes_nothing(db, flushed):
    docs = create(db)
    docs.add(make_table(10))
    if flushed:
        docs.flush()
    with pytest.raises(AlreadyExistsError, match="key=7"):
        docs.add(make_table(10, start=7))
    assert ids(docs) == list(range(10))


@pytest.mark.parametrize("flushed", [False, True])
def test_upsert_replaces_rows_and_adds_new_ones(db, flushed):
    docs, old, new = create(db), make_table(10), make_table(10, start=5, seed=99)
    docs.add(old)
    if flushed:
        docs.flush()
    assert docs.upsert(new) == 10
    assert len(docs) == 15
    assert docs.get(range(15)).equals(pa.concat_tables([old.slice(0, 5), new]).combine_chunks())
    hit = docs.search(matrix_of(new)[0]).limit(1).to_arrow()
    assert hit["id"][0].as_py() == 5
    assert (
        matrix_of(old)[5].tolist()
        not in docs.search(matrix_of(old)[5]).select(["embedding"]).to_arrow()["embedding"].to_pylist()
    )


@pytest.mark.parametrize("flushed", [False, True])
def test_deleted_rows_are_gone_and_may_come_back(db, flushed):
    docs, table = create(db), make_table(20)
    docs.add(table)
    if flushed:
        docs.flush()
    assert docs.delete(keys=[3, 4, 4, 999]) == 2
    assert docs.delete(where="id >= 15") == 5
    assert ids(docs) == [i for i in range(15) if i not in (3, 4)]
    assert docs.search(matrix_of(table)[3]).limit(20).to_arrow().num_rows == 13
    docs.add(table.slice(3, 1))
    assert docs.search(matrix_of(table)[3]).limit(1).to_arrow()["id"][0].as_py() == 3


def test_the_caller_may_reuse_its_buffers_after_add(db):
    values, prices = np.ones((4, DIM), np.float32), np.arange(4.0)
    table = pa.table(
        {
            "id": pa.array(range(4), pa.int64()),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), DIM),
            "price": pa.array(prices),
        }
    )
    docs = create(db, table=table)
    docs.add(table)
    values[:], prices[:] = 7, 7
    assert docs.get([0, 3], ["price"])["price"].to_pylist() == [0.0, 3.0]
    assert docs.search(np.ones(DIM)).limit(4).to_arrow()["_distance"].to_pylist() == [0.0] * 4


def broken(**changes) -> pa.Table:
    table = make_table(3)
    for name, column in changes.items():
        index = table.column_names.index(name)
        table = table.set_column(index, name, column)
    return table


def vectors(rows: Sequence[Sequence[float | None] | None]) -> pa.Array:
    return pa.array(rows, pa.list_(pa.float32(), DIM))


GOOD = [0.5] * DIM


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (broken(embedding=vectors([GOOD, None, GOOD])), "null.*row=1"),
        (broken(embedding=vectors([GOOD, GOOD, [None, *GOOD[1:]]])), "null element.*row=2"),
        (broken(embedding=vectors([GOOD, [float("nan"), *GOOD[1:]], GOOD])), "NaN.*row=1"),
        (broken(embedding=vectors([[float("inf"), *GOOD[1:]], GOOD, GOOD])), "NaN or infinity.*row=0"),
        (broken(embedding=pa.array([[1.0]] * 3, pa.list_(pa.float32(), 1))), f"got=1 dim={DIM}"),
        (broken(embedding=pa.array([GOOD, GOOD, [*GOOD, 1.0]])), "row=2"),
        (broken(embedding=pa.array(["a", "b", "c"])), "list of numbers"),
        (broken(id=pa.array([1, None, 2], pa.int64())), "null.*row=1"),
        (broken(id=pa.array([1, 2, 1], pa.int64())), "twice.*key=1 row=2"),
        (broken(id=pa.array(["x", "y", "z"])), "id"),
        (broken(price=pa.array(["x", "y", "z"])), "price"),
        (make_table(3).drop_columns(["price"]), r"missing=\['price'\]"),
        (make_table(3).append_column("more", pa.array([1, 2, 3])), r"extra=\['more'\]"),
        ([1, 2, 3], "got=list"),
        (None, "got=NoneType"),
    ],
)
def test_a_bad_batch_is_refused_by_name_and_nothing_is_written(db, table, said):
    docs = create(db)
    docs.add(make_table(1, start=50))
    before = docs.stats()
    with pytest.raises(InvalidArgumentError, match=said):
        docs.add(table)
    with pytest.raises(InvalidArgumentError, match=said):
        docs.upsert(table)
    assert docs.stats() == before


def test_a_zero_vector_is_refused_under_cosine_only(db):
    table = broken(embedding=vectors([GOOD, [0.0] * DIM, GOOD]))
    with pytest.raises(InvalidArgumentError, match="row=1"):
        create(db, "c", metric="cosine").add(table)
    assert create(db, "d", metric="dot").add(table) == 3


def test_narrower_numbers_are_widened_and_wider_ones_refused(db):
    docs, table = create(db), make_table(2)
    docs.add(table.set_column(0, "id", table["id"].cast(pa.int16())))
    docs = create(db, "narrow", table=table.set_column(3, "price", table["price"].cast(pa.float32())))
    with pytest.raises(InvalidArgumentError, match="lose digits"):
        docs.add(table)


def test_pandas_frames_with_arrays_in_cells_are_accepted(db):
    docs = create(db)
    frame = pd.DataFrame({"id": [1], "embedding": [np.ones(DIM)], "lang": ["en"], "price": [1.5]})
    assert docs.add(frame) == 1


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({}, "either keys= or where="),
        ({"keys": [1], "where": "id = 1"}, "either keys= or where="),
        ({"keys": ["a"]}, "keys are not int64"),
        ({"keys": [None]}, "null"),
        ({"keys": 5}, "sequence"),
        ({"where": "nope = 1"}, "nope"),
    ],
)
def test_a_bad_delete_is_refused(db, kwargs, said):
    docs = create(db)
    docs.add(make_table(3))
    with pytest.raises(InvalidArgumentError, match=said):
        docs.delete(**kwargs)
    assert len(docs) == 3


@pytest.mark.parametrize(
    ("kwargs", "said"),
    [
        ({"vector": "nope"}, "nope"),
        ({"key": "nope"}, "nope"),
        ({"key": "embedding"}, "different columns"),
        ({"key": "price"}, "int64, uint64 or string"),
        ({"vector": "price"}, "list of float"),
        ({"metric": "euclid"}, "euclid"),
        ({"dim": 99}, "dim=99"),
        ({"schema": 5}, "got=int"),
        ({"schema": make_table(1).schema.append(pa.field("_distance", pa.float32()))}, "_distance"),
    ],
)
def test_a_bad_collection_is_refused_and_leaves_nothing(db, kwargs, said):
    good = {"schema": make_table(1).schema, "vector": "embedding", "key": "id"}
    with pytest.raises(InvalidArgumentError, match=said):
        db.create_collection("docs", **(good | kwargs))
    assert db.list_collections() == []


@pytest.mark.parametrize("name", ["", "Docs", "../x", "a/b", ".hidden", "a" * 64, "-a", "a b", "ä", "a\n"])
def test_a_name_that_could_leave_the_root_is_refused(db, name):
    with pytest.raises(InvalidArgumentError, match="collection name"):
        create(db, name)
    with pytest.raises(InvalidArgumentError, match="collection name"):
        db.collection(name)


def test_collections_are_listed_opened_and_dropped(any_db):
    create(any_db, "b").close()
    create(any_db, "a").add(make_table(3))
    assert any_db.list_collections() == ["a", "b"]
    with pytest.raises(AlreadyExistsError, match="open it"):
        create(any_db, "a")
    with pytest.raises(NotFoundError, match=r"existing=\['a', 'b'\]"):
        any_db.collection("c")
    with pytest.raises(InvalidArgumentError, match="close"):
        any_db.drop_collection("a")
    any_db.drop_collection("b")
    assert any_db.list_collections() == ["a"]
    with pytest.raises(NotFoundError):
        any_db.drop_collection("b")


def test_a_closed_handle_says_so(db):
    docs = create(db)
    docs.close()
    docs.close()
    assert "closed" in repr(docs)
    for use in (
        lambda: docs.add(make_table(1)),
        lambda: len(docs),
        lambda: docs.search(np.zeros(DIM)).to_arrow(),
        docs.flush,
    ):
        with pytest.raises(DriftError, match="closed"):
            use()


def test_handles_of_one_collection_share_its_rows_and_close_with_the_last(db):
    first = create(db)
    second = db.collection("docs")
    first.add(make_table(5))
    assert len(second) == 5
    first.close()
    second.add(make_table(5, start=5))
    assert len(second) == 10


def test_reprs_help(db):
    docs = create(db)
    docs.add(make_table(3))
    assert repr(docs) == "<Collection 'docs': 3 rows, 'embedding' 8-d l2, key 'id'>"
    assert "docs" in repr(db)
    assert "<table>" in docs._repr_html_()


def test_scan_pushes_projection_predicate_and_limit_down(db):
    docs, table = create(db), make_table(3000)
    docs.add(table.slice(0, 1500))
    docs.flush()
    docs.add(table.slice(1500))
    lazy = docs.scan()
    assert "PROJECT" in lazy.select("id").explain()
    found = lazy.filter(pl.col("price") > 1, pl.col("lang") == "en").select("id").sort("id").collect()
    expected = pl.DataFrame(table).filter(pl.col("price") > 1, pl.col("lang") == "en").select("id")
    assert found.equals(expected)
    assert lazy.head(7).collect().height == 7
    assert lazy.select(pl.len()).collect().item() == 3000
    assert pl.DataFrame(table).sort("id").equals(lazy.sort("id").collect())


def test_small_dictionaries_stay_small_however_many_values_come_together(db):
    table = make_table(200).select(["id", "embedding"])
    kind = pa.dictionary(pa.int8(), pa.string())
    labels = [f"label {number}" for number in range(200)]
    docs = create(db, table=table.slice(0, 1).append_column("label", pa.array(["x"]).dictionary_encode().cast(kind)))
    for start in (0, 100):
        part = pa.array(labels[start : start + 100]).dictionary_encode().cast(kind)
        docs.add(table.slice(start, 100).append_column("label", part))
    docs.flush()
    found = docs.get(range(200), ["label"])
    assert found.schema.field("label").type == kind
    assert found["label"].to_pylist() == labels


def test_a_value_that_no_block_holds_is_refused_before_it_is_acknowledged(db):
    table = make_table(1).select(["id", "embedding"]).append_column("blob", pa.array([b"x" * (17 << 20)]))
    docs = create(db, table=table)
    with pytest.raises(LimitExceededError, match="blob"):
        docs.add(table)
    assert len(docs) == 0
