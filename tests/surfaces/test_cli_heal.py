"""`drift-cli heal` and `drift-cli recall`: what searches cost and find, and how to make it better."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow
from tests.surfaces.command_line import assert_one_line, make_table, run, succeed

N_ROWS = 3000


@pytest.fixture
def address(tmp_path):
    """Three small segments, not merged by flushes, of which half of the rows are dead."""
    options = drift_arrow.Options(merge_bytes=0, heal_rows_per_s=0)
    table = make_table(N_ROWS)
    table = table.set_column(0, "id", pa.array(np.arange(N_ROWS)))
    with (
        drift_arrow.connect(tmp_path) as database,
        database.create_collection("docs", schema=table.schema, vector="v", key="id", options=options) as docs,
    ):
        for start in range(0, N_ROWS, N_ROWS // 3):
            docs.add(table.slice(start, N_ROWS // 3))
            docs.flush()
        docs.delete(keys=list(range(0, N_ROWS, 2)))
        docs.flush()
        docs.recall(targets=[0.9], sample=16)
    return f"{tmp_path}/docs"


def segments_of(address):
    return json.loads(succeed("stats", address, "--json"))["segments"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(address):
    planned = json.loads(succeed("heal", address, "--dry-run", "--json"))
    assert planned
    assert {action["outcome"] for action in planned} == {"planned"}
    assert segments_of(address) == 3


def test_healing_prints_what_it_did_and_has_nothing_left_to_do(address):
    assert "done" in succeed("heal", address)
    assert segments_of(address) == 1
    assert "is healthy" in succeed("heal", address)


def test_a_budget_bounds_the_rows_that_move(address):
    done = json.loads(succeed("heal", address, "--budget-rows", 100, "--json"))
    assert sum(action["rows"] for action in done if action["outcome"] == "done") <= 100


def test_recall_is_measured_at_each_target(address):
    measured = json.loads(succeed("recall", address, "--target", 0.8, "--target", 0.95, "--sample", 32, "--json"))
    assert [row["target"] for row in measured] == [0.8, 0.95]
    assert all(0 < row["low"] <= row["recall"] <= row["high"] <= 1 for row in measured)


def test_the_history_is_what_writers_measured(address):
    (kept,) = json.loads(succeed("recall", address, "--history", "--json"))
    assert kept["target"] == 0.9


def test_an_impossible_target_is_one_line(address):
    assert_one_line(run("recall", address, "--target", 2), "between 0 and 1", "2.0")
