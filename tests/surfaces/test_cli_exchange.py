"""`drift-cli export` and `drift-cli import`: a collection as a file, and back."""

from __future__ import annotations

import json
import signal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import drift_arrow
from drift_arrow.cli.exchange import dump
from tests.format.samples import arrays
from tests.surfaces.command_line import assert_one_line, make_collection, make_table, run, start, stored, succeed

FORMATS = {"parquet": "--parquet", "arrow": "--arrow"}
N_ROWS = 6
NOT_IN_PARQUET = {
    "interval", "struct without fields", "deep", "dictionary of views", "dictionary of numbers", "run_end_encoded",
    "run_end_encoded views", "list of run_end_encoded", "sparse union", "dense union",
}  # fmt: skip
# Arrow cannot join dictionaries in which null is a value.
NOT_IN_ARROW_FILES = {"dictionary of numbers"}
SAMPLES = arrays()


def wide_table(samples) -> pa.Table:
    """The key and vector of `make_table` and one column per sample, with metadata of schema and fields."""
    table = make_table(N_ROWS).select(["id", "v"])
    for number, (name, array) in enumerate(samples.items()):
        table = table.append_column(pa.field(f"c{number}", array.type, metadata={"sample": name}), array)
    return table.replace_schema_metadata({"owner": "tests", "title": "Größe"})


def all_of(address):
    """Schema, metric and rows by key; rows as text, for NaN equals NaN there and -0.0 differs from 0.0."""
    root, _, name = address.rpartition("/")
    with drift_arrow.connect(root) as database, database.collection(name, read_only=True) as collection:
        rows = [row for batch in collection.to_batches() for row in batch.to_pylist()]
        marks = (collection.vector, collection.key, collection.metric, collection.options)
        return collection.schema, marks, sorted(map(repr, rows))


def assert_same_collection(left, right):
    (schema, *others), (other_schema, *same) = all_of(left), all_of(right)
    assert other_schema.equals(schema, check_metadata=True)
    assert same == others


@pytest.fixture(params=FORMATS)
def file(request, tmp_path):
    """The option and the file of a format."""
    return FORMATS[request.param], tmp_path / f"rows.{request.param}"


def test_every_type_survives_the_way_out_and_back(tmp_path, file):
    left_out = NOT_IN_PARQUET if file[0] == "--parquet" else NOT_IN_ARROW_FILES
    kept = {name: array for name, array in SAMPLES.items() if name not in left_out}
    address = make_collection(tmp_path / "data", wide_table(kept))
    succeed("export", address, *file)
    succeed("import", file[1], tmp_path / "data/copy")
    assert_same_collection(address, f"{tmp_path}/data/copy")


@pytest.mark.parametrize("name", sorted(NOT_IN_PARQUET))
def test_a_type_that_parquet_lacks_is_one_line_and_leaves_no_file(tmp_path, name):
    address = make_collection(tmp_path / "data", wide_table({name: SAMPLES[name]}))
    assert_one_line(run("export", address, "--parquet", tmp_path / "rows.parquet"), "use --arrow", "--select")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_dictionary_that_arrow_cannot_join_is_one_line_and_leaves_no_file(tmp_path):
    address = make_collection(tmp_path / "data", wide_table({"x": SAMPLES["dictionary of numbers"]}))
    assert_one_line(run("export", address, "--arrow", tmp_path / "rows.arrow"), "dictionary", "--select")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def options_of(address):
    root, _, name = str(address).rpartition("/")
    with drift_arrow.connect(root) as database, database.collection(name, read_only=True) as collection:
        return collection.options


def test_the_settings_of_a_collection_come_back(tmp_path, file):
    settings = drift_arrow.Options(profile="cold", refine=7)
    table = make_table()
    with (
        drift_arrow.connect(tmp_path / "data") as database,
        database.create_collection("docs", schema=table.schema, vector="v", key="id", options=settings) as docs,
    ):
        docs.add(table)
    succeed("export", tmp_path / "data/docs", *file)
    succeed("import", file[1], tmp_path / "data/copy")
    succeed("import", file[1], tmp_path / "data/fast", "--profile", "hot")
    assert options_of(tmp_path / "data/copy") == settings
    assert options_of(tmp_path / "data/fast") == drift_arrow.Options(refine=7)


def test_settings_of_another_version_are_one_line(tmp_path):
    address = make_collection(tmp_path / "data")
    succeed("export", address, "--arrow", tmp_path / "rows.arrow")
    with pa.ipc.open_file(tmp_path / "rows.arrow") as source:
        rows = source.read_all()
    changed = {**rows.schema.metadata, b"drift.options": b'{"speed": 9}'}
    with pa.ipc.new_file(tmp_path / "later.arrow", rows.schema.with_metadata(changed)) as sink:
        sink.write_table(rows.replace_schema_metadata(changed))
    assert_one_line(run("import", tmp_path / "later.arrow", tmp_path / "data/copy"), "drift.options", "speed")


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_a_restored_collection_measures_the_same_distances(tmp_path, file, metric):
    rng = np.random.default_rng(5)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=3000).astype(np.float16)), 6)
    table = pa.table({"name": [f"key {row}" for row in range(500)], "vec": vectors})
    query = json.dumps(rng.normal(size=6).tolist())
    with drift_arrow.connect(tmp_path) as database:
        docs = database.create_collection("docs", schema=table.schema, vector="vec", key="name", metric=metric)
        docs.add(table.slice(0, 300))
        docs.flush()
        docs.add(table.slice(300))
        docs.delete(keys=["key 7", "key 400"])
    succeed("export", tmp_path / "docs", *file)
    printed = json.loads(succeed("import", file[1], tmp_path / "copy", "--json"))
    assert (printed["rows"], printed["vector"], printed["key"], printed["metric"]) == (498, "vec", "name", metric)
    found = [succeed("search", tmp_path / name, query, "--k", "20", "--exact", "--json") for name in ("docs", "copy")]
    assert found[0] == found[1]


def test_many_batches_with_other_dictionaries_become_one_file(tmp_path, file, monkeypatch):
    monkeypatch.setattr(dump, "GROUP_BYTES", 160)
    words = pa.array([f"word {row % 7}" for row in range(60)])
    codes = words.dictionary_encode()
    nested = pa.ListArray.from_arrays(pa.array(range(61), pa.int32()), codes)
    table = make_table(60).append_column("code", codes).append_column("nested", nested)
    with drift_arrow.connect(tmp_path) as database:
        docs = database.create_collection("docs", schema=table.schema, vector="v", key="id")
        for row in range(0, 60, 5):
            docs.add(table.slice(row, 5))
    succeed("export", tmp_path / "docs", *file)
    succeed("import", file[1], tmp_path / "copy")
    assert_same_collection(f"{tmp_path}/docs", f"{tmp_path}/copy")


def test_a_dictionary_type_too_small_for_all_rows_asks_for_parquet(tmp_path, monkeypatch):
    kind = pa.dictionary(pa.int8(), pa.string())
    table = make_table(200).append_column("code", pa.array(["a"] * 200).cast(kind))
    with drift_arrow.connect(tmp_path) as database:
        docs = database.create_collection("docs", schema=table.schema, vector="v", key="id")
        for row in (0, 100):
            codes = pa.array([str(number) for number in range(row, row + 100)]).cast(kind)
            docs.add(make_table(100, row).append_column("code", codes))
            docs.flush()
    assert_one_line(run("export", tmp_path / "docs", "--arrow", tmp_path / "rows.arrow"), "use --parquet")
    succeed("export", tmp_path / "docs", "--parquet", tmp_path / "rows.parquet")
    succeed("import", tmp_path / "rows.parquet", tmp_path / "copy")
    assert_same_collection(f"{tmp_path}/docs", f"{tmp_path}/copy")


def test_an_empty_collection_comes_back_empty(tmp_path, file):
    address = make_collection(tmp_path, make_table(0))
    succeed("export", address, *file)
    succeed("import", file[1], tmp_path / "copy")
    assert_same_collection(address, f"{tmp_path}/copy")


def test_where_and_select_shape_the_file(tmp_path, file):
    address = make_collection(tmp_path)
    printed = json.loads(
        succeed("export", address, *file, "--where", "lang = 'en' AND id < 6", "--select", "title, id", "--json")
    )
    assert printed["rows"] == 3
    read = pq.read_table(file[1]) if file[0] == "--parquet" else pa.ipc.open_file(file[1]).read_all()
    assert read.sort_by("id").to_pylist() == [{"title": f"row {key}", "id": key} for key in (1, 3, 5)]


def test_a_selection_with_key_and_vector_can_be_imported(tmp_path, file):
    address = make_collection(tmp_path)
    succeed("export", address, *file, "--select", "v,id")
    succeed("import", file[1], tmp_path / "copy")
    assert stored(f"{tmp_path}/copy").schema.names == ["v", "id"]


def test_a_selection_without_them_asks_for_flags(tmp_path, file):
    succeed("export", make_collection(tmp_path), *file, "--select", "id,title")
    assert_one_line(run("import", file[1], tmp_path / "copy"), "--vector and --key", code=2)


def test_flags_override_what_the_file_says(tmp_path, file):
    succeed("export", make_collection(tmp_path), *file)
    words = ["--key", "title", "--metric", "dot", "--json"]
    printed = json.loads(succeed("import", file[1], tmp_path / "copy", *words))
    assert (printed["vector"], printed["key"], printed["metric"]) == ("v", "title", "dot")


def test_a_foreign_file_is_imported_with_flags(tmp_path):
    table = make_table().set_column(3, "v", pa.array([[key, 0] for key in range(20)]))
    pq.write_table(table.replace_schema_metadata({"pandas": "{}"}), tmp_path / "rows.parquet")
    assert_one_line(run("import", tmp_path / "rows.parquet", tmp_path / "docs", "--key", "id"), "--vector", code=2)
    succeed("import", tmp_path / "rows.parquet", tmp_path / "docs", "--key", "id", "--vector", "v")
    schema, marks, rows = all_of(f"{tmp_path}/docs")
    assert (schema.metadata, marks, len(rows)) == (None, ("v", "id", "l2", drift_arrow.Options()), 20)


def test_export_overwrites_only_when_told(tmp_path, file):
    address = make_collection(tmp_path / "data")
    file[1].write_bytes(b"mine")
    assert_one_line(run("export", address, *file), "--force overwrites it")
    assert file[1].read_bytes() == b"mine"
    succeed("export", address, *file, "--force")
    succeed("import", file[1], tmp_path / "data/copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", file[1].name]


@pytest.mark.parametrize(
    ("words", "part", "code"),
    [
        ([], "either --parquet FILE or --arrow FILE", 2),
        (["--parquet", "a.parquet", "--arrow", "a.arrow"], "either --parquet FILE or --arrow FILE", 2),
        (["--parquet", "a.arrow"], "must end in .parquet", 2),
        (["--arrow", "absent/a.arrow"], "no such directory", 1),
        (["--parquet", "a.parquet", "--select", "nope"], "no such column", 1),
        (["--parquet", "a.parquet", "--where", "nope = 1"], "nope", 1),
    ],
)
def test_an_export_that_cannot_be_is_one_line_and_leaves_no_file(tmp_path, monkeypatch, words, part, code):
    address = make_collection(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert_one_line(run("export", address, *words), part, code=code)
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]


def test_a_directory_is_not_overwritten_even_by_force(tmp_path):
    address = make_collection(tmp_path)
    (tmp_path / "a.parquet").mkdir()
    assert_one_line(run("export", address, "--parquet", tmp_path / "a.parquet", "--force"), "is a directory")


def test_a_full_disk_is_one_line_and_leaves_no_file(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    address = make_collection(tmp_path / "data")
    monkeypatch.setattr("drift_arrow.cli.exchange.whole_file.os.fsync", fail)
    assert_one_line(run("export", address, "--parquet", tmp_path / "a.parquet"), "No space left", "a.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_an_export_that_is_killed_leaves_nothing_under_the_final_name(tmp_path, file):
    address = make_collection(tmp_path / "data", make_table(5_000))
    # Killed at its first write to the temporary file: the moment is the same on every machine.
    code = (
        "import os, signal, sys\n"
        "from drift_arrow.cli.exchange import whole_file\n"
        "whole_file._sync = lambda path: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from drift_arrow.cli.app import app\n"
        "app(sys.argv[1:], prog_name='drift-cli')\n"
    )
    with start("export", address, *file, code=code) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    left = {path.name for path in tmp_path.iterdir()} - {"data"}
    assert file[1].name not in left
    assert all(name.endswith(".partial") for name in left)
    succeed("export", address, *file)


def test_an_import_into_an_existing_collection_changes_nothing(tmp_path, file):
    address = make_collection(tmp_path)
    succeed("export", address, *file)
    assert_one_line(run("import", file[1], address), "the collection exists")
    assert stored(address).num_rows == 20


def test_an_import_of_a_refused_row_leaves_no_collection(tmp_path):
    table = pa.concat_tables([make_table(5), make_table(1)])
    pq.write_table(table, tmp_path / "rows.parquet")
    done = run("import", tmp_path / "rows.parquet", tmp_path / "docs", "--key", "id", "--vector", "v")
    assert_one_line(done, "a key appears twice")
    assert succeed("list", tmp_path) == ""


def test_a_damaged_file_is_one_line(tmp_path, file):
    file[1].write_bytes(b"PAR1 or ARROW1, but not really")
    assert_one_line(run("import", file[1], tmp_path / "docs"), "cannot read the file")
    assert_one_line(run("import", tmp_path / "absent.parquet", tmp_path / "docs"), "no such file")
