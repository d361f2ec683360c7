import json
from dataclasses import replace

import numpy as np
import pytest

from drift_arrow import Options
from harness.report import Bar
from streaming_bench.ablation import options_of
from streaming_bench.bars import bars
from streaming_bench.contender import ENTRIES, PEERS, moved_rows
from streaming_bench.original_buckets import Buckets
from streaming_bench.ours import options_for
from streaming_bench.records import END, Records
from streaming_bench.run import Plan, run
from streaming_bench.runbooks import NAMES, REAL, RUNBOOKS, Size, in_time_order, prepare
from streaming_bench.stream import OPERATIONS, Draft, Stream
from streaming_bench.summary import summarise

TINY = Size(rows=400, queries=12, pause=10)


def plan(tmp_path, *contenders, runbooks=("sliding",)):
    return Plan(
        data=tmp_path, cache=tmp_path / "cache", runbooks=runbooks, contenders=contenders, size=TINY, settle=0.1
    )


def prepared(name, tmp_path):
    stream = prepare(name, TINY, tmp_path, tmp_path)
    assert isinstance(stream, Stream)
    return stream


def small_draft():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 4)).astype(np.float32)
    draft = Draft("small", "l2", rows[:5])
    draft.insert(rows[:40])
    draft.search(rows[40:44])
    draft.delete(np.arange(0, 30, 2))
    draft.wait(5)
    draft.insert(rows[44:])
    draft.search(rows[40:43])
    return draft


def record(step, op, contender="drift", runbook="sliding", **measured):
    about = {"runbook": runbook, "contender": contender, "step": step, "op": op, "n_live": 100, "size": 50}
    return {**about, "disk": 1_000, "resident": 2_000, **measured}


def search(step, recall, contender="drift", **measured):
    return record(step, "search", contender, recall=recall, wrong=0, p50_ms=1.0, p99_ms=2.0, **measured)


def summary_of(file, runbook, contender):
    found = summarise(Records(file), runbook, contender)
    assert found is not None
    return found


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / "records.jsonl")


@pytest.mark.parametrize("name", RUNBOOKS)
def test_a_generated_runbook_has_forty_steps_and_is_the_same_each_time(tmp_path, name):
    first = prepared(name, tmp_path / "a")
    second = prepared(name, tmp_path / "b")
    assert len(first.steps) >= 40
    assert first.steps == second.steps
    for array in ("vectors", "deleted", "queries", "kth"):
        assert (first.array(array) == second.array(array)).all()
    assert {step.op for step in first.steps} <= set(OPERATIONS)


@pytest.mark.parametrize("name", RUNBOOKS)
def test_a_runbook_deletes_only_what_is_alive_and_never_runs_dry(tmp_path, name):
    stream = prepared(name, tmp_path)
    alive = np.zeros(len(stream.array("vectors")), dtype=np.bool_)
    for number, step in enumerate(stream.steps):
        if step.op == "insert":
            alive[step.start : step.stop] = True
        if step.op == "delete":
            assert alive[stream.deleted(step)].all()
            alive[stream.deleted(step)] = False
        assert alive.sum() == step.n_live > 12
        assert (stream.alive(number + 1) == alive).all()


def test_true_neighbours_are_those_alive_at_the_step(tmp_path):
    stream = small_draft().store(tmp_path)
    vectors = np.array(stream.array("vectors"))
    for number, step in enumerate(stream.steps):
        if step.op == "search":
            mine = vectors[stream.alive(number)]
            plain = np.sort(np.square(stream.queries(step)[:, None] - mine[None]).sum(axis=2), axis=1)
            assert stream.kth(step) == pytest.approx(plain[:, 9], rel=1e-5)


def test_the_oldest_of_each_topic_go_first_and_lifetimes_end(tmp_path):
    for name in ("clustered", "expiration"):
        stream = prepared(name, tmp_path)
        deletions = [stream.deleted(step) for step in stream.steps if step.op == "delete"]
        assert all((np.diff(numbers) > 0).all() for numbers in deletions)
        assert min(map(len, deletions)) > 0


def test_rows_in_time_order_leave_a_window_in_that_order():
    rows = np.arange(2_000, dtype=np.float32)[:, np.newaxis] * np.ones(3, dtype=np.float32)
    draft = in_time_order("ticks", "l2", rows, TINY)
    before = draft.live
    assert (np.diff(before) == 1).all()
    assert len(before) == len(rows) // 5 or len(before) > 200


@pytest.mark.parametrize("name", REAL)
def test_a_real_runbook_without_its_file_is_called_absent(tmp_path, name):
    assert f"{name} is absent" in str(prepare(name, TINY, tmp_path, tmp_path))


def test_an_exact_contender_finds_everything_and_ours_keeps_every_row(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    file = tmp_path / "records.jsonl"
    variants = {"odd": {"no_such_option": 1}}
    run(
        replace(plan(tmp_path, "exact", "drift", runbooks=["deletion"]), variants=variants), file, tmp_path / "pictures"
    )
    records = Records(file)
    assert set(records.contenders("deletion")) == {"exact", "drift"}
    exact = summary_of(file, "deletion", "exact")
    assert exact.mean == exact.least == 1.0
    assert exact.wrong == 0
    ours, end = summary_of(file, "deletion", "drift"), records.end("deletion", "drift")
    assert ours.wrong == 0
    assert ours.mean > 0.9
    steps = records.of("deletion", "drift", "search")
    assert all(one["scanned"] > 0 and one["disk"] > 0 and one["resident"] > 0 for one in steps)
    assert end is not None
    assert min(end["p50_ratio"], end["alike_p50_ratio"], end["scanned_ratio"]) > 0
    assert [one["target"] for one in end["targets"]] == [0.8, 0.9, 0.95, 0.99]
    assert (tmp_path / "pictures" / "deletion.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "absent from step 0 on: drift" in printed
    for part in ("step by step", "== with and without", "mean recall at target .95"):
        assert part in printed


@pytest.mark.parametrize("name", [name for name in PEERS if name != "lancedb"])
def test_every_peer_follows_a_runbook_without_dead_rows(tmp_path, name):
    pytest.importorskip(ENTRIES[name].package)
    pytest.importorskip("faiss")
    file = tmp_path / "records.jsonl"
    run(plan(tmp_path, name, runbooks=("clustered",)), file)
    found = summary_of(file, "clustered", name)
    assert found.wrong == 0
    assert found.mean > 0.5
    assert found.update_rate > 0


@pytest.mark.slow
def test_options_of_drift_are_changed_in_a_run_of_its_own(tmp_path, capsys):
    file = tmp_path / "records.jsonl"
    run(replace(plan(tmp_path), variants={"tiny": {"memtable_bytes": 20_000}}), file)
    assert Records(file).contenders("sliding") == ["drift tiny"]
    assert summary_of(file, "sliding", "drift tiny").mean > 0.9
    assert "tiny" in capsys.readouterr().out


@pytest.mark.slow
def test_lancedb_follows_a_runbook_without_dead_rows(tmp_path):
    pytest.importorskip("lancedb")
    file = tmp_path / "records.jsonl"
    run(plan(tmp_path, "lancedb", runbooks=("sliding", "deletion")), file)
    for runbook in ("sliding", "deletion"):
        found = summary_of(file, runbook, "lancedb")
        assert found.wrong == 0
        assert found.mean > 0.5


def test_a_finished_run_is_kept_and_an_unfinished_one_made_again(tmp_path, records):
    records.add(record(0, "insert"))
    records.add(record(1, END))
    records.add(record(0, "insert", "exact"))
    with (tmp_path / "records.jsonl").open("a") as lines:
        lines.write('{"torn')
    again = Records(tmp_path / "records.jsonl")
    again.drop_unfinished()
    assert again.contenders("sliding") == ["drift"]
    assert len((tmp_path / "records.jsonl").read_text().splitlines()) == 2
    run(plan(tmp_path, "drift", "exact"), tmp_path / "records.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    assert sum(one["contender"] == "drift" for one in lines) == 2
    assert sum(one["contender"] == "exact" for one in lines) > 40


def test_who_is_not_installed_is_called_absent(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(ENTRIES, "nobody", ENTRIES["exact"]._replace(package="no_such_package"))
    run(plan(tmp_path, "nobody"), tmp_path / "records.jsonl")
    assert "absent: nobody" in capsys.readouterr().out


def test_bars_name_what_fell_short(records):
    updates = {"seconds": 1.0, "cpu": 1.0}
    records.add(record(0, "insert", **updates, moved=0, dead=0, files=5, targets=[{"target": 0.8, "recall": 0.81}]))
    records.add(search(1, 0.96, moved=0, dead=0, files=5))
    records.add(record(2, "delete", **updates, moved=200, dead=30, files=120))
    records.add(search(3, 0.92, moved=200, dead=30, files=120))
    records.add(
        record(
            4,
            END,
            targets=[{"target": 0.8, "recall": 0.9}],
            recall=0.95,
            p50_ms=2.0,
            fresh_p50_ms=1.0,
            p50_ratio=2.0,
            scanned_ratio=1.0,
            alike_p50_ratio=1.5,
        )
    )
    records.add(record(0, "insert", "lancedb", **updates))
    records.add(search(1, 0.96, "lancedb"))
    records.add(record(2, "delete", "lancedb", seconds=2.0, cpu=1.0))
    verdicts = {bar.name.split(": ")[1]: bar.verdict for bar in bars(records)}
    assert verdicts == {
        "mean recall at target .95": "MISS",
        "recall of the worst step": "MISS",
        "rows found dead or twice": "PASS",
        "p50 at the end / newly built": "MISS",
        "updates, drift / faiss-rebuild": "-",
        "updates, drift / lancedb": "PASS",
        "rows moved per row changed": "MISS",
        "dead rows, greatest share": "MISS",
        "files, most": "MISS",
        "recall off its target, before": "PASS",
        "recall off its target, after": "MISS",
    }
    assert all(isinstance(bar, Bar) for bar in bars(records))


def test_what_healing_costs_is_told_beside_a_run_without_it(records):
    for contender, seconds in (("drift", 2.0), ("drift no healing", 1.0)):
        records.add(record(0, "insert", contender, seconds=1.0, cpu=1.0))
        records.add(search(1, 0.96, contender))
        records.add(record(2, "delete", contender, seconds=seconds, cpu=1.0))
        records.add(record(3, "wait", contender, seconds=1.0, cpu=0.5))
    found = {bar.name.split(": ")[1]: bar for bar in bars(records)}
    assert found["updates, with / without healing"].value == 0.5
    assert found["processor used while nobody asks, last pause"].verdict == "MISS"


def test_options_of_a_variant_are_json():
    assert options_of(["memtable_bytes=5", 'profile="cold"']) == {"memtable_bytes": 5, "profile": "cold"}
    for bad in ("memtable_bytes", "profile=cold"):
        with pytest.raises(ValueError, match=r"got='memtable_bytes'|Expecting value"):
            options_of([bad])


def test_buckets_of_the_original_rule_lose_no_row_however_they_heal():
    rng = np.random.default_rng(0)
    rows = (rng.normal(size=(3_000, 6)) + rng.integers(0, 9, size=(3_000, 1))).astype(np.float32)
    buckets = Buckets(rows, rows[:40].copy(), target=25)
    for start in range(0, 3_000, 300):
        buckets.insert(np.arange(start, start + 300))
        live = np.flatnonzero(~buckets.dead[: start + 300])
        buckets.delete(rng.permutation(live)[: len(live) // 3])
        for _ in range(30):
            buckets.tick()
        stored = np.concatenate(buckets.members)
        assert len(np.unique(stored)) == len(stored)
        assert set(np.flatnonzero(~buckets.dead[: start + 300])) <= set(stored.tolist())
        assert len(buckets.members) == len(buckets.centroids) == len(buckets.temperature)
    assert buckets.n_moved > 0


def test_rows_to_delete_are_ranges_or_lists_in_sql():
    pytest.importorskip("lancedb")
    from streaming_bench.lance import conditions

    numbers = np.concatenate([np.arange(5, 105), np.arange(200, 260)])
    assert conditions(numbers) == ["(id BETWEEN 5 AND 104) OR (id BETWEEN 200 AND 259)"]
    assert conditions(np.array([1, 3, 9])) == ["id IN (1, 3, 9)"]


def test_options_keep_their_proportions_to_the_collection():
    whole, part = options_for(1 << 30), options_for(1 << 26, seed=3)
    assert whole == Options()
    assert part.memtable_bytes * 16 == Options().memtable_bytes
    assert part.merge_bytes * 16 == Options().merge_bytes
    assert part.seed == 3


def test_moved_rows_are_those_written_more_than_once():
    assert moved_rows(1_500, logged=500, row_bytes=10, inserted=60) == 40
    assert moved_rows(500, logged=500, row_bytes=10, inserted=60) == 0


def test_all_runbooks_are_named():
    assert set(NAMES) == {*RUNBOOKS, *REAL}
