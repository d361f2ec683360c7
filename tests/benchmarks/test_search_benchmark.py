import json
import math
from dataclasses import replace

import numpy as np
import pytest

from search_bench import concurrency, filters, memtable, targets
from search_bench.bars import bars, distances_to_graphs
from search_bench.build import Built
from search_bench.contender import ENTRIES, Range
from search_bench.data_set import DataSet
from search_bench.describe import describe
from search_bench.frontier import frontier, qps_at, shortlist
from search_bench.inputs import prepare
from search_bench.remote import Remote, WorkerError
from search_bench.result import Cost, SetResult
from search_bench.run import run
from search_bench.stage import Plan
from search_bench.sweep import Budget, Point
from search_bench.truth import distances_to, nearest_distances, recalls

TINY = "clustered-2k-32"
BUDGET = Budget(seconds=0.1, turn=0.001, queries=20, scout_queries=10, recall_seconds=1.0, points=3, batch=50)


def plan(tmp_path, *parts, contenders=("drift", "drift-kernel", "hnswlib")):
    return Plan(
        data=tmp_path,
        cache=tmp_path / "cache",
        sets=[TINY],
        contenders=contenders,
        parts=parts,
        threads=[1],
        budget=BUDGET,
        kernel_bytes=1 << 20,
    )


def prepared(tmp_path, name="cache"):
    data = prepare(TINY, tmp_path, tmp_path / name)
    assert isinstance(data, DataSet)
    return data


def point(recall, qps, contender="drift", **setting):
    return Point(contender=contender, variant={}, setting=setting, recall=recall, qps=qps, turns=[qps], times=[1 / qps])


def built(name, seconds, disk=0):
    return Built(builder=name, variant={}, seconds=seconds, n_threads=2, n_rows=1_000, disk=disk, resident=0)


def test_speed_and_costs_are_measured_on_a_generated_set(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    json_file, plot_file = tmp_path / "results.json", tmp_path / "plot.png"
    run(plan(tmp_path, "single", "batch"), json_file=json_file, plot_file=plot_file)
    (result,) = json.loads(json_file.read_text())["sets"]
    for mode in ("single", "batch"):
        assert {entry["contender"] for entry in result["points"][mode]} == {"drift", "drift-kernel", "hnswlib"}
        assert max(entry["recall"] for entry in result["points"][mode] if entry["contender"] == "drift") > 0.95
        assert all(entry["qps"] > 0 for entry in result["points"][mode])
    assert all(cost["built"]["disk"] > 0 for cost in result["costs"])
    assert plot_file.stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "queries/s at a recall@10 of" in printed
    assert "== bars" in printed


@pytest.mark.slow
def test_every_other_part_runs_on_a_generated_set(tmp_path, capsys):
    json_file = tmp_path / "results.json"
    parts = ("targets", "filters", "memtable", "concurrent", "kernel")
    run(plan(tmp_path, *parts, contenders=("drift",)), json_file=json_file)
    found = json.loads(json_file.read_text())["parts"]
    assert set(found) == set(parts)
    assert found["memtable"][TINY]["exact_recall"] == 1
    assert found["concurrent"][TINY]["errors"] == []
    assert found["concurrent"][TINY]["torn"] == 0
    assert set(found["filters"][TINY]) == {case.name for case in filters.CASES}
    assert all(speeds["drift"] > 0 for speeds in found["kernel"].values())
    assert "PASS" in capsys.readouterr().out


def test_who_is_not_installed_is_called_absent(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(ENTRIES, "nobody", ("search_bench.nobody", "Nobody", "no-such-distribution"))
    assert "not installed" in describe("nobody", tmp_path)["absent"]
    for python in ("/bin/false", "/no/such/python"):
        run(replace(plan(tmp_path, "single", contenders=("hnswlib",)), pythons={"hnswlib": python}))
        assert "absent: hnswlib" in capsys.readouterr().out


def test_a_worker_that_fails_says_why(tmp_path):
    data = prepared(tmp_path)
    with (
        Remote("hnswlib", data, tmp_path / "index", {"M": 4}, n_threads=1) as remote,
        pytest.raises(WorkerError, match="hnswlib could not open"),
    ):
        remote.ask("open")


def test_generated_sets_are_the_same_each_time_and_kept(tmp_path):
    first, second = prepared(tmp_path, "a"), prepared(tmp_path, "b")
    assert (first.vectors == second.vectors).all()
    assert first.table().equals(second.table())
    assert (prepared(tmp_path, "a").true_distances == first.true_distances).all()


def test_a_real_set_without_its_file_is_called_absent(tmp_path):
    assert "sift100k is absent" in str(prepare("sift100k", tmp_path, tmp_path / "cache"))


def test_true_distances_are_those_of_a_plain_search():
    rng = np.random.default_rng(0)
    rows, queries = rng.normal(size=(300, 8)), rng.normal(size=(7, 8))
    plain = np.sort(np.square(queries[:, None] - rows[None]).sum(axis=2), axis=1)[:, :10]
    assert nearest_distances(rows, queries, 10) == pytest.approx(plain, rel=1e-5)
    assert nearest_distances(rows[:4], queries, 10).shape == (7, 4)


def test_recall_counts_rows_as_near_as_the_kth_whichever_they_are():
    true = np.array([[1.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    found = np.array([[2.0, 1.0], [1.0, 3.0]])
    assert recalls(found, true, 2).tolist() == [1.0, 0.5]
    assert recalls(np.array([[np.inf, 1.0]]), true[:1], 2).tolist() == [0.5]
    assert distances_to(np.ones((1, 2)), np.zeros((1, 2)), np.array([[0, -1]])).tolist() == [[2.0, np.inf]]


def test_the_frontier_has_what_nothing_beats_in_both():
    points = [point(0.9, 100), point(0.8, 90), point(0.99, 50), point(0.95, 40)]
    assert [p.recall for p in frontier(points)] == [0.9, 0.99]
    assert [p.recall for p in frontier(points, slack=1.3)] == [0.8, 0.9, 0.95, 0.99]


def test_the_shortlist_is_spread_over_the_recalls():
    listed = shortlist([point(recall / 100, 100 - recall) for recall in range(60, 100)], least=0.7, most=5)
    assert len(listed) == 5
    assert (listed[0].recall, listed[-1].recall) == (0.7, 0.99)
    assert listed[2].recall > 0.85


def test_speed_at_a_recall_lies_between_its_neighbours():
    points = [point(0.9, 100), point(0.99, 50)]
    assert qps_at(points, 0.9) == pytest.approx(100)
    assert qps_at(points, 0.99) == 50
    assert 50 < qps_at(points, 0.95) < 100
    assert qps_at(points, 0.5) == 100
    assert math.isnan(qps_at(points, 0.995))


def test_bars_compare_at_equal_recall():
    result = SetResult(name="sift100k", shape=(50_000, 10), n_threads=1)
    result.points["single"] = [
        point(0.95, 3_000, target_recall=0.95),
        point(0.95, 4_000, "drift-kernel"),
        point(0.96, 1_000, "faiss-ivf-sq8"),
        point(0.95, 100, "lancedb"),
        point(0.95, 9_000, "hnswlib"),
    ]
    result.costs = [
        Cost(contender=name, built=built(name, seconds, disk), searched=600_000, of_files=0)
        for name, seconds, disk in (("drift", 1, 3_000_000), ("hnswlib", 5, 0), ("lancedb", 10, 0))
    ]
    found = {bar.name: bar for bar in bars([result])}
    assert found["sift100k: one query, recall 0.95, drift / faiss-ivf-sq8"].value == 3
    assert found["sift100k: one query, recall 0.95, drift / faiss-ivf-sq8"].verdict == "PASS"
    assert found["sift100k: one query, recall 0.95, drift / lancedb"].value == 30
    assert found["sift100k: one query, recall 0.99, drift / lancedb"].verdict == "-"
    assert found["sift100k: ingest, drift / hnswlib"].verdict == "MISS"
    assert found["sift100k: ingest, drift / lancedb"].verdict == "PASS"
    assert found["sift100k: resident / SQ8 codes"].value == pytest.approx(1.2)
    assert found["sift100k: disk / raw float32"].verdict == "MISS"
    assert distances_to_graphs([result])[0] == ("sift100k", "1", "0.95", "hnswlib", "9,000", "3.00", "2.25")


def test_bars_of_the_other_parts_name_what_fell_short():
    off = [{"target": 0.9, "recall": 0.95, "rows": 10, "fixed_rows": 20}]
    assert [bar.verdict for bar in targets.bars("x", off)] == ["MISS", "PASS"]
    slow = {"rows": 20_000, "p50_ms": 1.5, "exact_recall": 1.0}
    assert [bar.verdict for bar in memtable.bars({"x": slow})] == ["MISS", "PASS"]
    busy = {"errors": ["E"], "torn": 0, "checked": 9, "p99_ms": [1.0, 2.0]}
    assert [bar.verdict for bar in concurrency.bars({"x": busy})] == ["MISS", "PASS", "PASS"]
    points = [point(0.96, 100, target_recall=0.95), point(0.95, 10, "lancedb"), point(0.9, 10, "faiss-ivf-sq8")]
    points[0].rows = 10
    verdicts = [bar.verdict for bar in filters.bars("x", {"50 %": points}, 1_000)]
    assert verdicts == ["PASS", "PASS", "-", "PASS", "-"]


def test_a_range_says_the_same_in_sql_as_in_a_mask(db):
    import pyarrow as pa

    payload = pa.table({"chance": np.linspace(0, 1, 11)})
    within = Range("chance", 0.1, 0.5)
    assert within.mask(payload).sum() == 4
    table = payload.append_column("id", pa.array(range(11)))
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(22, np.float32)), 2)
    table = table.append_column("v", vectors)
    docs = db.create_collection("docs", schema=table.schema, vector="v", key="id")
    docs.add(table)
    assert len(docs.search(np.zeros(2, np.float32)).where(within.sql).limit(10).to_arrow()) == 4
