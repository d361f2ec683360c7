"""`drift-cli search`."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import drift_arrow
from tests.surfaces.command_line import assert_one_line, make_collection, run, start, succeed


@pytest.fixture
def address(tmp_path):
    return make_collection(tmp_path / "data")


def test_a_json_list_finds_the_nearest_rows(address):
    rows = json.loads(succeed("search", address, "[7.2, 0, 0, 0]", "--k", "3", "--json"))
    assert [row["id"] for row in rows] == [7, 8, 6]
    assert [row["_distance"] for row in rows] == pytest.approx([0.04, 0.64, 1.44], rel=1e-5)
    assert rows[0]["title"] == "row 7"


def test_an_npy_file_of_many_queries_gives_a_query_index(address, tmp_path):
    np.save(tmp_path / "queries.npy", np.array([[3, 0, 0, 0], [9, 0, 0, 0]], np.float64))
    rows = json.loads(succeed("search", address, f"@{tmp_path}/queries.npy", "--k", "1", "--json"))
    assert [(row["query_index"], row["id"]) for row in rows] == [(0, 3), (1, 9)]


def test_like_searches_with_the_vector_of_a_row(address):
    rows = json.loads(succeed("search", address, "--like", "12", "--k", "1", "--json"))
    assert [(row["id"], row["_distance"]) for row in rows] == [(12, 0.0)]


def test_like_takes_string_keys(tmp_path):
    import pyarrow as pa

    table = pa.table({"id": ["a", "b"], "v": pa.array([[1, 0], [0, 1]], pa.list_(pa.float32(), 2))})
    address = make_collection(tmp_path, table)
    rows = json.loads(succeed("search", address, "--like", "b", "--k", "1", "--json"))
    assert rows == [{"id": "b", "_distance": 0.0}]


@pytest.mark.parametrize(("key", "part"), [("999", "no row has this key"), ("seven", "keys are integers")])
def test_like_of_a_key_that_is_not_there_is_one_line(address, key, part):
    assert_one_line(run("search", address, "--like", key), part)


def test_where_and_select_shape_the_answer(address):
    words = ["search", address, "[0, 0, 0, 0]", "--where", "lang = 'en'", "--select", "title, id", "--k", "2", "--json"]
    rows = json.loads(succeed(*words))
    assert rows == [{"title": "row 1", "id": 1, "_distance": 1.0}, {"title": "row 3", "id": 3, "_distance": 9.0}]


def test_exact_gives_the_same_rows_here(address):
    words = ["search", address, "[5, 0, 0, 0]", "--json"]
    assert succeed(*words, "--exact") == succeed(*words)


def test_the_table_for_people_holds_names_and_values(address):
    lines = succeed("search", address, "[7, 0, 0, 0]", "--k", "1").splitlines()
    assert lines[0].split() == ["id", "title", "lang", "_distance"]
    assert lines[2].split() == ["7", "row", "7", "en", "0"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["[1, 2]"], "2"),
        (["[1, 0, 0, 0]", "--where", "price < 3"], "price"),
        (["[1, 0, 0, 0]", "--select", "price"], "price"),
        (["@absent.npy"], "absent.npy"),
    ],
)
def test_a_search_that_cannot_be_answered_is_one_line(address, words, part):
    assert_one_line(run("search", address, *words), part)


def test_a_pickle_is_not_loaded_as_a_query(address, tmp_path):
    (tmp_path / "query.npy").write_bytes(pickle.dumps([1, 0, 0, 0]))
    assert_one_line(run("search", address, f"@{tmp_path}/query.npy"), ".npy array of numbers")


def test_a_search_answers_beside_a_running_writer(tmp_path):
    make_collection(tmp_path)
    with drift_arrow.connect(str(tmp_path)) as database, database.collection("docs") as collection:
        collection.delete(keys=[0])
        with start("search", tmp_path / "docs", "[0, 0, 0, 0]", "--k", "1", "--json") as process:
            stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    assert [row["id"] for row in json.loads(stdout)] == [1]


@pytest.mark.filterwarnings("error")
def test_a_number_beyond_float32_is_refused_without_a_warning(address):
    assert_one_line(run("search", address, "[1e39, 0, 0, 0]"), "infinity")
