"""`drift-cli drift`: which buckets need attention."""

from __future__ import annotations

import json
import sys

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow
from drift_arrow.cli.drift.bucket_map import principal_plane
from tests.surfaces.command_line import assert_one_line, make_table, run, succeed

N_ROWS = 3000


@pytest.fixture
def address(tmp_path):
    """A segment that lost a third of its rows, and was searched."""
    table = make_table(N_ROWS)
    with (
        drift_arrow.connect(tmp_path) as database,
        database.create_collection("docs", schema=table.schema, vector="v", key="id") as docs,
    ):
        docs.add(table.set_column(0, "id", pa.array(np.arange(N_ROWS))))
        docs.flush()
        docs.delete(keys=list(range(0, N_ROWS, 3)))
        docs.search(np.zeros(4)).nprobe(2).to_arrow()
        docs.recall(targets=[0.9])
    return f"{tmp_path}/docs"


def test_a_summary_and_the_most_urgent_buckets_are_printed(address):
    printed = succeed("drift", address)
    assert f"{N_ROWS * 2 // 3:,} live rows, {N_ROWS // 3:,} dead" in printed
    assert "zombie" in printed
    assert "at target 0.9, version 2, 1 queries" in printed
    assert len(succeed("drift", address, "--top", 3).splitlines()) < len(printed.splitlines())


def test_json_has_a_row_per_bucket_with_the_heat_of_the_last_writer(address):
    rows = json.loads(succeed("drift", address, "--json"))
    assert sum(row["live"] for row in rows) == N_ROWS * 2 // 3
    assert [row["urgency"] for row in rows] == sorted((row["urgency"] for row in rows), reverse=True)
    assert sum(row["heat"] > 0 for row in rows) == 2


def test_a_map_is_drawn(address, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "map.png"
    assert str(path) in succeed("drift", address, "--plot", path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert_one_line(run("drift", address, "--plot", tmp_path / "map.xyz"), "cannot draw", "map.xyz")
    assert_one_line(run("drift", address, "--plot", tmp_path / "no" / "map.png"), "cannot write")


def test_a_map_without_matplotlib_says_what_to_install(address, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert_one_line(run("drift", address, "--plot", tmp_path / "map.png"), "drift_arrow[plot]")


def test_a_collection_without_buckets_says_so(tmp_path):
    table = make_table(5)
    with drift_arrow.connect(tmp_path) as database:
        database.create_collection("docs", schema=table.schema, vector="v", key="id").add(table)
    assert "no buckets yet" in succeed("drift", f"{tmp_path}/docs")
    assert json.loads(succeed("drift", f"{tmp_path}/docs", "--json")) == []


def test_the_plane_of_a_map_keeps_distances_that_lie_in_it():
    points = np.zeros((5, 7), np.float32)
    points[:, [2, 4]] = np.random.default_rng(0).normal(size=(5, 2))
    plane = principal_plane(points)
    wanted = np.linalg.norm(points[:, np.newaxis] - points, axis=2)
    np.testing.assert_allclose(np.linalg.norm(plane[:, np.newaxis] - plane, axis=2), wanted, atol=1e-6)
    assert principal_plane(np.ones((3, 1), np.float32)).tolist() == [[0, 0]] * 3
