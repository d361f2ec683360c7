"""`drift-cli create` and `drift-cli add`: files of every format become rows."""

from __future__ import annotations

import gzip
import json

import fsspec
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from drift_arrow.cli.sources import regroup
from tests.surfaces.command_line import DIM, assert_one_line, make_collection, make_table, run, stored, succeed

TITLES = make_table().drop_columns(["v"])


def write_parquet(path, table):
    pq.write_table(table, path, row_group_size=7)


def write_feather(path, table):
    feather.write_feather(table, path, chunksize=7, compression="zstd")


def write_ipc_stream(path, table):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=7)


def write_csv_lists(path, table):
    lists = pa.array([json.dumps(vector) for vector in table["v"].to_pylist()])
    pa_csv.write_csv(table.set_column(table.schema.get_field_index("v"), "v", lists), path)


def spread(table, names):
    columns = zip(*table["v"].to_pylist(), strict=True)
    arrays = [pa.array(column, pa.float32()) for column in columns]
    kept = table.drop_columns(["v"])
    return pa.Table.from_arrays([*kept.columns, *arrays], names=[*kept.schema.names, *names])


def write_csv_from_zero(path, table):
    pa_csv.write_csv(spread(table, [f"v{i}" for i in range(DIM)]), path)


def write_csv_from_one(path, table):
    pa_csv.write_csv(spread(table, [f"v_{i}" for i in range(1, DIM + 1)]), path)


def write_csv_repeated(path, table):
    pa_csv.write_csv(spread(table, ["v"] * DIM), path)


FORMATS = [
    ("rows.parquet", write_parquet),
    ("rows.feather", write_feather),
    ("rows.arrow", write_ipc_stream),
    ("lists.csv", write_csv_lists),
    ("from_zero.csv", write_csv_from_zero),
    ("from_one.csv", write_csv_from_one),
    ("repeated.csv", write_csv_repeated),
]


@pytest.mark.parametrize(("name", "write"), FORMATS, ids=[name for name, _ in FORMATS])
def test_create_and_add_take_every_format_to_the_same_rows(tmp_path, name, write):
    write(tmp_path / name, make_table())
    address = f"{tmp_path}/data/docs"
    succeed("create", address, "--schema-from", tmp_path / name, "--vector", "v", "--key", "id")
    succeed("add", address, tmp_path / name)
    assert stored(address).select(["id", "title", "lang", "v"]).to_pylist() == make_table().to_pylist()


def test_create_tells_the_columns_in_json(tmp_path):
    pq.write_table(make_table(), tmp_path / "rows.parquet")
    printed = succeed(
        "create", tmp_path / "docs", "--schema-from", tmp_path / "rows.parquet", "--vector", "v", "--key", "id",
        "--metric", "cosine", "--json",
    )  # fmt: skip
    created = json.loads(printed)
    assert (created["dim"], created["metric"], created["key"]) == (DIM, "cosine", "id")
    assert list(created["columns"]) == ["id", "title", "lang", "v"]


def test_create_adds_no_row(tmp_path):
    pq.write_table(make_table(), tmp_path / "rows.parquet")
    succeed("create", tmp_path / "docs", "--schema-from", tmp_path / "rows.parquet", "--vector", "v", "--key", "id")
    assert stored(f"{tmp_path}/docs").num_rows == 0


def test_create_takes_lists_of_any_length_and_narrow_integers(tmp_path):
    table = pa.table(
        {"id": pa.array([1, 2], pa.int32()), "v": pa.array([[1, 2, 3], [4, 5, 6]], pa.list_(pa.uint8()))},
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    address = f"{tmp_path}/docs"
    succeed("create", address, "--schema-from", tmp_path / "rows.parquet", "--vector", "v", "--key", "id")
    succeed("add", address, tmp_path / "rows.parquet")
    rows = stored(address)
    assert rows.schema.field("id").type == pa.int64()
    assert rows.schema.field("v").type.value_type == pa.float32()
    assert rows["v"].to_pylist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("options", "part"),
    [
        (["--vector", "w", "--key", "id"], "no such column; column='w'"),
        (["--vector", "v", "--key", "key"], "no such column; column='key'"),
        (["--vector", "title", "--key", "id"], "lists of numbers"),
        (["--vector", "v", "--key", "id", "--metric", "hamming"], "hamming"),
    ],
)
def test_create_refuses_what_the_file_cannot_give(tmp_path, options, part):
    pq.write_table(make_table(), tmp_path / "rows.parquet")
    done = run("create", tmp_path / "data/docs", "--schema-from", tmp_path / "rows.parquet", *options)
    assert_one_line(done, part)
    assert not (tmp_path / "data/docs").exists()


def test_create_needs_a_dimension_from_somewhere(tmp_path):
    schema = pa.schema({"id": pa.int64(), "v": pa.list_(pa.float32())})
    pq.write_table(schema.empty_table(), tmp_path / "none.parquet")
    words = ["create", tmp_path / "docs", "--schema-from", tmp_path / "none.parquet", "--vector", "v", "--key", "id"]
    assert_one_line(run(*words), "--dim")
    assert "7 dimensions" in succeed(*words, "--dim", "7")


def test_create_of_a_name_that_is_taken_fails(tmp_path):
    address = make_collection(tmp_path)
    pq.write_table(make_table(), tmp_path / "rows.parquet")
    done = run("create", address, "--schema-from", tmp_path / "rows.parquet", "--vector", "v", "--key", "id")
    assert_one_line(done, "docs")


def test_add_takes_files_and_patterns_in_order(tmp_path):
    address = make_collection(tmp_path / "data", make_table(0))
    for day in range(3):
        pq.write_table(make_table(10, first_key=10 * day), tmp_path / f"day-{day}.parquet")
    pq.write_table(make_table(5, first_key=100), tmp_path / "more.parquet")
    added = json.loads(succeed("add", address, tmp_path / "day-*.parquet", tmp_path / "more.parquet", "--json"))
    assert (added["rows"], added["files"]) == (35, 4)
    assert stored(address)["id"].to_pylist() == [*range(30), *range(100, 105)]


def test_a_file_whose_name_looks_like_a_pattern_is_taken_literally(tmp_path):
    address = make_collection(tmp_path / "data", make_table(0))
    pq.write_table(make_table(3), tmp_path / "day[1].parquet")
    succeed("add", address, tmp_path / "day[1].parquet")
    assert stored(address).num_rows == 3


def test_add_reads_urls_through_fsspec(tmp_path):
    address = make_collection(tmp_path, make_table(0))
    with fsspec.open("memory://day/rows.parquet", "wb") as file:
        pq.write_table(make_table(3), file)
    succeed("add", address, "memory://day/*.parquet")
    assert stored(address).num_rows == 3


def test_add_reads_compressed_csv(tmp_path):
    address = make_collection(tmp_path / "data", make_table(0))
    write_csv_lists(tmp_path / "rows.csv", make_table())
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress((tmp_path / "rows.csv").read_bytes()))
    succeed("add", address, tmp_path / "rows.csv.gz")
    assert stored(address).num_rows == 20


def test_add_of_more_rows_than_one_batch_holds_adds_them_all(tmp_path, monkeypatch):
    monkeypatch.setattr(regroup, "ADD_BYTES", 4 * DIM * 6)
    address = make_collection(tmp_path / "data", make_table(0))
    pq.write_table(make_table(100), tmp_path / "rows.parquet")
    succeed("add", address, tmp_path / "rows.parquet")
    assert stored(address)["id"].to_pylist() == list(range(100))


def test_add_of_an_existing_key_fails_and_tells_what_was_added_before(tmp_path):
    address = make_collection(tmp_path / "data")
    pq.write_table(make_table(5, first_key=50), tmp_path / "new.parquet")
    pq.write_table(make_table(5), tmp_path / "old.parquet")
    done = run("add", address, tmp_path / "new.parquet", tmp_path / "old.parquet")
    assert_one_line(done, "rows_added_before=5", "old.parquet")
    assert stored(address).num_rows == 25


def test_upsert_replaces_rows(tmp_path):
    address = make_collection(tmp_path / "data")
    table = make_table(1)
    pq.write_table(table.set_column(1, "title", pa.array(["new"])), tmp_path / "rows.parquet")
    succeed("add", address, tmp_path / "rows.parquet", "--upsert")
    rows = stored(address)
    assert rows.num_rows == 20
    assert rows["title"][0].as_py() == "new"


def test_add_of_a_wrong_dimension_writes_nothing(tmp_path):
    address = make_collection(tmp_path / "data")
    table = pa.table({"id": [90], "title": ["x"], "lang": ["en"], "v": pa.array([[1.0, 2.0]], pa.list_(pa.float32()))})
    pq.write_table(table, tmp_path / "rows.parquet")
    assert_one_line(run("add", address, tmp_path / "rows.parquet"), "rows_added_before=0")
    assert stored(address).num_rows == 20


@pytest.mark.parametrize(
    ("name", "content", "part"),
    [
        ("rows.txt", b"id,v", "suffix='.txt'"),
        ("rows", b"id,v", "suffix=''"),
        ("rows.parquet", b"id,v\n1,2\n", "cannot read the file"),
        ("rows.arrow", b"id,v\n1,2\n", "cannot read the file"),
        ("empty.csv", b"", "column names"),
        ("rows.csv", b"id,title,lang\n1,a,b\n", "no column for the vector"),
        ("rows.csv", b"id,title,lang,v0,v2\n1,a,b,1,2\n", "without a gap"),
        ("rows.csv", b'id,title,lang,v\n99,a,b,"[1, x, 3, 4]"\n', "JSON lists"),
        ("rows.csv", b"id,title,lang,v\n99,a,b,\n", "JSON lists"),
        ("rows.csv", b'id,title,lang,v\nfive,a,b,"[1, 2, 3, 4]"\n', "five"),
    ],
)
def test_add_of_a_file_that_is_not_what_it_seems_is_one_line(tmp_path, name, content, part):
    address = make_collection(tmp_path / "data")
    (tmp_path / name).write_bytes(content)
    assert_one_line(run("add", address, tmp_path / name), part)


@pytest.mark.parametrize(
    ("file", "part"),
    [("absent.parquet", "no such file"), ("absent-*.parquet", "no file matches"), ("nope://x/y.csv", "protocol")],
)
def test_add_of_a_file_that_is_not_there_is_one_line(tmp_path, file, part):
    address = make_collection(tmp_path / "data")
    assert_one_line(run("add", address, file), part)
