"""`drift-cli demo`."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest

from drift_arrow.cli.demo import run as demo_run
from drift_arrow.cli.demo.measuring import K, recall, true_distances
from drift_arrow.cli.demo.surfaces import answers
from drift_arrow.cli.sample import QUERIES_PATH, SAMPLE_PATH, load_sample
from tests.surfaces.command_line import run, start, succeed


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    root = tmp_path_factory.mktemp("demo")
    return root, succeed("demo", "--keep", root)


def test_every_claim_of_the_demo_holds(kept):
    _, printed = kept
    assert "✗" not in printed
    assert printed.count("✓") == 6


@pytest.mark.parametrize(
    "part",
    [
        "6,000 real vectors",
        "12 of 12 searches",
        "recall@10",
        "queries per second",
        "SQ8 codes that a search reads",
        "Python ",
        "Polars ",
        "DuckDB ",
        "Try next",
    ],
)
def test_the_report_tells(kept, part):
    assert part in kept[1]


def test_the_commands_it_ends_with_work(kept):
    _, printed = kept
    commands = [line.strip() for line in printed.partition("Try next:")[2].splitlines() if line.strip()]
    assert len(commands) == 5
    for command in commands:
        program, *words = shlex.split(command)
        assert program == "drift-cli"
        if words[0] != "serve":
            succeed(*words)


def test_a_second_demo_in_the_same_place_changes_nothing(kept):
    root, _ = kept
    done = run("demo", "--keep", root)
    assert done.exit_code == 1
    assert "sift" in done.stderr
    assert json.loads(succeed("stats", f"{root}/sift", "--json"))["rows"] == 6_000


def test_a_claim_that_does_not_hold_ends_with_exit_code_1(monkeypatch, tmp_path):
    monkeypatch.setattr(demo_run, "RECALL_PROMISED", 1.1)
    done = run("demo", "--keep", tmp_path)
    assert done.exit_code == 1
    assert "recall@10" in done.stderr
    assert "Try next" not in done.stdout


def test_surfaces_that_differ_end_with_exit_code_1(monkeypatch, tmp_path):
    def tampered(*arguments):
        found = answers(*arguments)
        found["other"] = next(iter(found.values())).reverse()
        return found

    monkeypatch.setattr(demo_run, "answers", tampered)
    done = run("demo", "--keep", tmp_path)
    assert done.exit_code == 1
    assert "every surface" in done.stderr


def test_without_keep_nothing_is_left(tmp_path):
    with start("demo", TMPDIR=str(tmp_path)) as process:
        stdout, stderr = process.communicate()
    assert process.returncode == 0, stdout + stderr
    assert list(tmp_path.iterdir()) == []


def test_the_sample_is_small_and_what_its_readme_says():
    sample = load_sample()
    assert SAMPLE_PATH.stat().st_size + QUERIES_PATH.stat().st_size < 1_000_000
    assert (sample.table.num_rows, sample.queries.shape) == (6_000, (200, 128))
    assert sample.table.schema.names == ["id", "ts", "image", "vector"]
    assert sample.queries.dtype == np.float32
    keys = sample.table["id"].to_numpy()
    assert (np.diff(keys) > 0).all()
    assert (np.diff(sample.table["ts"].to_numpy()).astype(int) >= 0).all()


def test_recall_counts_ties_as_right_and_repeated_rows_once():
    import pyarrow as pa

    rows = np.zeros((K + 2, 1), np.float32)
    rows[-1] = 5
    truth = true_distances(rows, np.zeros((1, 1), np.float32))
    keys = np.arange(K + 2)

    def share(ids):
        return recall(pa.table({"query_index": np.zeros(K, np.uint32), "id": np.array(ids)}), keys, truth)

    assert share(range(1, K + 1)) == 1
    assert share([*range(K - 1), K + 1]) == 1 - 1 / K
    assert share([0] * K) == 1 / K
