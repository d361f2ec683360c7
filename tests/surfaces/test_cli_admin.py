"""`drift-cli stats`, `verify`, `list` and `drop`."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq

import drift_arrow
from tests.surfaces.command_line import assert_one_line, make_collection, run, succeed


def flush(root, name="docs"):
    with drift_arrow.connect(str(root)) as database, database.collection(name) as collection:
        collection.flush()


def test_stats_count_the_rows(tmp_path):
    values = json.loads(succeed("stats", make_collection(tmp_path), "--json"))
    assert values["rows"] == 20


def test_stats_for_people_hold_the_same_names(tmp_path):
    address = make_collection(tmp_path)
    names = json.loads(succeed("stats", address, "--json"))
    printed = succeed("stats", address)
    assert all(name in printed for name in names)


def test_verify_finds_a_sound_collection_sound(tmp_path):
    address = make_collection(tmp_path)
    flush(tmp_path)
    assert "is sound" in succeed("verify", address)
    assert json.loads(succeed("verify", address, "--json"))["rows"] == 20


def test_verify_names_the_file_and_offset_of_a_flipped_byte(tmp_path):
    address = make_collection(tmp_path)
    flush(tmp_path)
    (segment,) = (tmp_path / "docs" / "segments").glob("*.drift")
    damaged = bytearray(segment.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    segment.write_bytes(damaged)
    assert_one_line(run("verify", address), segment.name, "offset=")


def test_list_prints_the_names(tmp_path):
    make_collection(tmp_path, name="b")
    make_collection(tmp_path, name="a")
    assert succeed("list", tmp_path) == "a\nb\n"
    assert json.loads(succeed("list", tmp_path, "--json")) == ["a", "b"]


def test_drop_asks_and_takes_no_for_an_answer(tmp_path):
    address = make_collection(tmp_path)
    done = run("drop", address, stdin="n\n")
    assert done.exit_code == 1
    assert "20 rows" in done.stdout
    assert succeed("list", tmp_path) == "docs\n"


def test_drop_deletes_after_a_yes(tmp_path):
    address = make_collection(tmp_path)
    assert run("drop", address, stdin="y\n").exit_code == 0
    assert succeed("list", tmp_path) == ""


def test_drop_does_not_ask_when_told_yes(tmp_path):
    address = make_collection(tmp_path)
    assert succeed("drop", address, "--yes") == f"dropped {address}\n"
    assert succeed("list", tmp_path) == ""


def test_drop_without_an_answer_deletes_nothing(tmp_path):
    address = make_collection(tmp_path)
    assert run("drop", address, stdin="").exit_code == 1
    assert succeed("list", tmp_path) == "docs\n"


def test_a_dimension_that_is_not_the_files_is_refused(tmp_path):
    vectors = pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))
    pq.write_table(pa.table({"id": [1], "v": vectors}), tmp_path / "rows.parquet")
    flags = ("--schema-from", tmp_path / "rows.parquet", "--vector", "v", "--key", "id", "--dim", "3")
    assert_one_line(run("create", tmp_path / "docs", *flags), "--dim differs", "file=2")
