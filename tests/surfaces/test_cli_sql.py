"""`drift-cli sql`."""

from __future__ import annotations

import json

import pytest

from tests.surfaces.command_line import assert_one_line, make_collection, run, succeed


@pytest.fixture(autouse=True)
def collection(tmp_path, monkeypatch):
    make_collection(tmp_path / "data")
    monkeypatch.chdir(tmp_path)


def test_a_search_is_a_table_and_its_path_starts_in_the_working_directory():
    statement = "SELECT id, title FROM drift_search('./data/docs', [7.2, 0, 0, 0], k := 2) WHERE lang = 'de'"
    assert json.loads(succeed("sql", statement, "--json")) == [{"id": 8, "title": "row 8"}]


def test_a_scan_is_a_table():
    statement = "SELECT lang, count(*) AS n FROM drift_scan('data/docs') GROUP BY lang ORDER BY lang"
    assert json.loads(succeed("sql", statement, "--json")) == [{"lang": "de", "n": 10}, {"lang": "en", "n": 10}]


def test_people_see_a_limited_number_of_rows_and_are_told():
    done = run("sql", "SELECT i AS number FROM range(5) t(i)", "--rows", "3")
    assert done.exit_code == 0
    assert done.stdout.split()[0] == "number"
    assert done.stdout.split()[-3:] == ["0", "1", "2"]
    assert "only the first 3 rows" in done.stderr


def test_json_prints_every_row():
    rows = json.loads(succeed("sql", "SELECT i FROM range(5000) t(i)", "--json"))
    assert [row["i"] for row in rows] == list(range(5000))


def test_no_rows_are_an_empty_list():
    assert json.loads(succeed("sql", "SELECT 1 AS one WHERE false", "--json")) == []


def test_a_statement_without_a_result_prints_no_rows():
    assert json.loads(succeed("sql", "CREATE TABLE t (i INTEGER)", "--json")) == []


@pytest.mark.parametrize(
    ("statement", "part"),
    [
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM drift_scan('./data/absent')", "absent"),
        ("SELECT * FROM drift_search('./data/docs', [1, 2])", "2"),
        ("SELECT * FROM statement", "statement"),
        ("SELECT (1 / i)::VARCHAR::INTEGER FROM (VALUES ('a')) t(i)", "DuckDB"),
    ],
    ids=["syntax", "missing collection", "wrong dimension", "no python variable is a table", "while running"],
)
def test_a_statement_that_fails_is_one_line(statement, part):
    assert_one_line(run("sql", statement), "DuckDB: ", part)


def test_columns_of_one_name_are_all_shown():
    statement = "SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a"
    assert json.loads(succeed("sql", statement, "--json")) == [{"a": 1, "a_1": 2, "a_1_1": 3, "a_2": 4}]
    assert succeed("sql", statement).split()[-4:] == ["1", "2", "3", "4"]
