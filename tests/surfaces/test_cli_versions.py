"""`drift-cli versions`, `tag` and `restore`."""

from __future__ import annotations

import json

import drift_arrow
from drift_arrow.options import Options
from tests.surfaces.command_line import assert_one_line, make_table, run, stored, succeed


def make_history(root) -> str:
    """Version 2 has 20 rows, version 3 has 10."""
    table = make_table()
    with drift_arrow.connect(str(root)) as database:
        options = Options(retained_versions=10)
        docs = database.create_collection("docs", schema=table.schema, vector="v", key="id", options=options)
        docs.add(table)
        docs.flush()
        docs.delete(where="id < 10")
        docs.flush()
    return f"{root}/docs"


def test_versions_are_listed_for_people_and_programs(tmp_path):
    address = make_history(tmp_path)
    rows = json.loads(succeed("versions", address, "--json"))
    assert [row["version"] for row in rows] == [1, 2, 3]
    assert [row["rows"] for row in rows] == [0, 20, 10]
    assert "created" in succeed("versions", address)


def test_a_tag_is_made_listed_and_removed(tmp_path):
    address = make_history(tmp_path)
    assert succeed("tag", address, "full", "--version", "2") == f"tag full keeps version 2 of {address}\n"
    assert json.loads(succeed("tag", address, "now", "--json"))["version"] == 3
    assert [row["tag"] for row in json.loads(succeed("tag", address, "--json"))] == ["full", "now"]
    assert "full" in succeed("tag", address)
    assert json.loads(succeed("versions", address, "--json"))[1]["tags"] == ["full"]
    assert succeed("tag", address, "full", "--delete") == f"removed tag full of {address}\n"
    assert_one_line(run("tag", address, "full", "--delete"), "no such tag", "now")


def test_a_wrong_call_of_tag_says_what_to_give(tmp_path):
    address = make_history(tmp_path)
    assert_one_line(run("tag", address, "--delete"), "NAME", code=2)
    assert_one_line(run("tag", address, "x", "--delete", "--version", "2"), "either", code=2)
    assert_one_line(run("tag", address, "../x"), "a tag is")


def test_a_restore_asks_and_takes_no_for_an_answer(tmp_path):
    address = make_history(tmp_path)
    done = run("restore", address, "2", stdin="n\n")
    assert done.exit_code == 1
    assert "replace 10 rows" in done.stdout
    assert "by the 20 of version 2" in done.stdout
    assert stored(address).num_rows == 10


def test_a_restore_by_number_time_or_tag_brings_the_rows_back(tmp_path):
    address = make_history(tmp_path)
    succeed("tag", address, "full", "--version", "2")
    created = json.loads(succeed("versions", address, "--json"))[2]["created"].replace("Z", "+00:00")
    assert "20 rows; this is version 4" in succeed("restore", address, "full", "--yes")
    assert stored(address)["id"].to_pylist() == list(range(20))
    assert json.loads(succeed("restore", address, created, "--json"))["restored"] == 3
    assert stored(address).num_rows == 10
    succeed("restore", address, "1", "--yes")
    assert stored(address).num_rows == 0


def test_what_is_not_kept_is_refused_in_one_line(tmp_path):
    address = make_history(tmp_path)
    assert_one_line(run("restore", address, "9", "--yes"), "existing=[1, 2, 3]")
    assert_one_line(run("restore", address, "nightly", "--yes"), "no such tag")
    assert_one_line(run("restore", address, "2026-01-01T00:00:00", "--yes"), "time zone")
    assert_one_line(run("restore", address, "25:00", "--yes"), "no such tag")
