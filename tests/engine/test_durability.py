from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.engine.flush import flush
from drift_arrow.engine.storage.local import LocalLog
from drift_arrow.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, PoisonedError, StorageError
from tests.tables import DIM, create, make_table, matrix_of

SMALL = drift.Options(memtable_bytes=200 * DIM * 4)


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def wait_until(condition) -> None:
    while not condition():
        time.sleep(0.01)


def test_rows_upserts_and_deletes_survive_a_clean_reopen(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(50))
        docs.flush()
        docs.upsert(make_table(10, start=45, seed=5))
        docs.delete(keys=[0, 47])
        expected = docs.scan().collect().sort("id")
    with drift.connect(root) as db:
        docs = db.collection("docs")
        assert docs.scan().collect().sort("id").equals(expected)
        assert len(docs) == 53
        docs.add(make_table(1, start=47))
        assert len(docs) == 54


def test_deletions_behind_a_flush_survive_it_and_the_reopening(root):
    with drift.connect(root) as db:
        docs = create(db, options=drift.Options(merge_bytes=0))
        docs.add(make_table(50))
        docs.flush()
        docs.delete(keys=list(range(10)))
        docs.add(make_table(5, start=100))
        docs.flush()
        assert docs.stats().segments == 2
        assert any("tombstones" in name for name in files(root))
    with drift.connect(root) as db:
        assert sorted(db.collection("docs").scan().collect()["id"]) == [*range(10, 50), *range(100, 105)]


def test_a_cold_collection_is_smaller_stays_cold_and_answers_the_same(tmp_path):
    answers, sizes = [], []
    for profile in ("hot", "cold"):
        root = str(tmp_path / profile)
        with drift.connect(root) as db:
            docs = create(db, options=drift.Options(profile=profile, merge_bytes=0))
            docs.add(make_table(3000))
            docs.flush()
        with drift.connect(root) as db:
            docs = db.collection("docs")
            docs.add(make_table(3000, start=3000))
            docs.flush()
            answers.append(docs.search(make_table(1)["embedding"][0].as_py()).limit(20).to_arrow())
            sizes.append(docs.stats().segment_bytes)
    assert answers[0].equals(answers[1])
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize("profile", ["warm", "", None, 1])
def test_a_profile_is_hot_or_cold(profile):
    with pytest.raises(InvalidArgumentError, match="option profile must be one of"):
        drift.Options(profile=profile)


def test_answers_are_the_same_in_another_process(root):
    with drift.connect(root) as db:
        docs, table = create(db), make_table(2000)
        docs.add(table.slice(0, 1500))
        docs.flush()
        docs.add(table.slice(1500))
        expected = docs.search(matrix_of(table)[5]).limit(20).to_arrow().to_pylist()
    script = (
        "import drift_arrow, json, sys\n"
        "docs = drift_arrow.open_path(sys.argv[1] + '/docs', read_only=True)\n"
        "print(json.dumps(docs.search(json.loads(sys.argv[2])).limit(20).to_arrow().to_pylist()))\n"
    )
    import json

    query = json.dumps(matrix_of(table)[5].tolist())
    done = subprocess.run([sys.executable, "-c", script, str(root), query], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == expected


def test_a_second_writer_is_told_who_holds_the_lock(root):
    with drift.connect(root) as db:
        create(db)
        script = "import drift_arrow, sys; drift_arrow.connect(sys.argv[1]).collection('docs')"
        done = subprocess.run([sys.executable, "-c", script, str(root)], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "LockedError" in done.stderr
        assert "read_only=True" in done.stderr


def test_a_reader_beside_a_writer_sees_what_was_durable_and_moves_on_when_asked(root):
    from drift_arrow.engine.collection import Collection
    from drift_arrow.engine.reader import Reader
    from drift_arrow.engine.storage.local import LocalStorage

    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(10))
        reader = Collection("docs", Reader(LocalStorage(root / "docs")), read_only=True)
        docs.add(make_table(10, start=10))
        assert len(reader) == 10
        reader.refresh()
        assert len(reader) == 20
        docs.flush()
        docs.delete(keys=[1])
        reader.refresh()
        assert len(reader) == 19
        with pytest.raises(drift.errors.InvalidArgumentError, match="read_only"):
            reader.add(make_table(1, start=90))
        reader.close()


def test_a_full_memtable_is_flushed_in_the_background(db, root):
    docs = create(db, options=SMALL)
    for start in range(0, 1000, 50):
        docs.add(make_table(50, start=start))
    wait_until(lambda: docs.stats().memtables == 1)
    stats = docs.stats()
    assert stats.segments >= 1
    assert stats.memtable_rows <= 200
    assert sorted(docs.scan().collect()["id"]) == list(range(1000))


def test_a_batch_larger_than_a_memtable_fits(db):
    docs = create(db, options=SMALL)
    docs.add(make_table(1000))
    assert len(docs) == 1000


def test_many_small_flushes_leave_few_files(db, root):
    docs = create(db)
    for start in range(0, 10_000, 50):
        docs.add(make_table(50, start=start))
        docs.flush()
    assert len(files(root)) <= 10
    assert len(docs) == 10_000


def test_many_small_adds_leave_few_files(db, root):
    docs = create(db)
    for start in range(0, 10_000, 50):
        docs.add(make_table(50, start=start))
    docs.flush()
    assert len(files(root)) <= 10


def test_files_that_no_manifest_names_are_deleted(db, root):
    docs = create(db)
    docs.add(make_table(50))
    docs.flush()
    orphan = root / "docs/segments/00000000-0000-4000-8000-000000000000.drift"
    orphan.write_bytes(b"left by a crash")
    docs.add(make_table(50, start=50))
    docs.flush()
    assert not orphan.exists()


def test_unfinished_files_are_removed_by_the_next_writer(root):
    with drift.connect(root) as db:
        create(db)
    leftover = root / "docs/segments/.tmp-leftover"
    leftover.write_bytes(b"half")
    with drift.connect(root) as db:
        db.collection("docs")
    assert not leftover.exists()


def test_deletes_and_upserts_that_race_a_flush_win(db, monkeypatch):
    docs = create(db)
    docs.add(make_table(300))

    def flush_with_a_race(*args, **rest):
        flushed = flush(*args, **rest)
        docs.delete(keys=[1, 2])
        docs.upsert(make_table(2, start=3, seed=77))
        return flushed

    monkeypatch.setattr("drift_arrow.engine.maintenance.flush", flush_with_a_race)
    docs.flush()
    monkeypatch.undo()
    assert sorted(docs.scan().collect()["id"]) == [0, *range(3, 300)]
    assert docs.get([3]).equals(make_table(2, start=3, seed=77).slice(0, 1).combine_chunks())
    docs.flush()
    assert sorted(docs.scan().collect()["id"]) == [0, *range(3, 300)]


def test_a_pinned_state_stays_readable_while_its_files_are_replaced(db):
    docs, table = create(db), make_table(500)
    docs.add(table)
    docs.flush()
    old = docs.scan()
    docs.upsert(make_table(500, seed=3))
    docs.flush()
    docs.add(make_table(10, start=900))
    docs.flush()
    assert old.sort("id").collect().to_arrow()["price"].to_pylist() == table["price"].to_pylist()


def test_concurrent_writers_and_readers_lose_nothing(db):
    docs = create(db, options=SMALL)
    errors: list[Exception] = []

    def write(worker: int) -> None:
        try:
            for step in range(20):
                start = worker * 10_000 + step * 20
                docs.add(make_table(20, start=start))
                docs.delete(keys=[start])
                assert docs.get([start + 1]).num_rows == 1
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    def read() -> None:
        try:
            while any(thread.is_alive() for thread in writers):
                hits = docs.search([0.0] * DIM).limit(50).to_arrow()["id"].to_pylist()
                assert len(set(hits)) == len(hits)
        except Exception as error:  # noqa: BLE001 - shown by the assertion below
            errors.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in (*writers, *readers):
        thread.start()
    for thread in (*writers, *readers):
        thread.join()
    assert errors == []
    assert len(docs) == 4 * 20 * 19


def test_concurrent_adds_of_one_key_admit_exactly_one(db):
    docs = create(db)
    outcomes = []

    def add() -> None:
        try:
            outcomes.append(docs.add(make_table(1, start=5)))
        except AlreadyExistsError:
            outcomes.append(0)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcomes) == 1
    assert len(docs) == 1


def test_after_a_failed_sync_nothing_is_acknowledged_until_reopening(root, monkeypatch):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(10))

        def fail(_self):
            raise StorageError("storage failed: Input/output error")

        monkeypatch.setattr(LocalLog, "sync", fail)
        with pytest.raises(PoisonedError, match="reopen"):
            docs.add(make_table(10, start=10))
        monkeypatch.undo()
        with pytest.raises(PoisonedError):
            docs.add(make_table(10, start=20))
        assert len(docs) == 10
    with drift.connect(root) as db:
        docs = db.collection("docs")
        assert len(docs) in (10, 20)
        assert docs.add(make_table(10, start=30)) == 10


def test_an_error_of_the_janitor_reaches_the_next_call_and_the_work_is_done_later(db, monkeypatch):
    docs = create(db, options=SMALL)
    failed = threading.Event()

    def fail(*args, **rest):
        failed.set()
        raise StorageError("storage failed: No space left on device")

    monkeypatch.setattr("drift_arrow.engine.maintenance.flush", fail)
    docs.add(make_table(150))
    docs.add(make_table(150, start=150))
    failed.wait()
    wait_until(lambda: docs._core._background_error is not None)
    with pytest.raises(StorageError, match="No space left"):
        len(docs)
    monkeypatch.undo()

    def settled() -> bool:
        try:
            return bool(docs.stats().memtables == 1)
        except StorageError:
            return False

    wait_until(settled)
    assert len(docs) == 300


def test_a_missing_segment_is_named(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(50))
        docs.flush()
    next((root / "docs/segments").iterdir()).unlink()
    with drift.connect(root) as db, pytest.raises(NotFoundError, match="segments/"):
        db.collection("docs")


def test_the_graph_of_a_large_memtable_answers_with_high_recall(db):
    docs, table = create(db, options=drift.Options(graph_rows=1000)), make_table(20_000)
    docs.add(table)
    memtable = docs.pin().memtables[-1].memtable
    wait_until(lambda: memtable.graph is not None and memtable.graph.n_rows == 20_000)
    docs.add(make_table(200, start=50_000))
    docs.delete(keys=list(range(0, 20_000, 50)))
    queries = matrix_of(make_table(50, start=10**6))
    found, exact = docs.search(queries).to_arrow(), docs.search(queries).exact().to_arrow()
    pairs = set(zip(found["query_index"].to_pylist(), found["id"].to_pylist(), strict=True))
    truth = set(zip(exact["query_index"].to_pylist(), exact["id"].to_pylist(), strict=True))
    assert len(pairs & truth) / len(truth) >= 0.95
    assert not {key for _, key in pairs} & set(range(0, 20_000, 50))


def test_verify_counts_what_it_read(db):
    docs = create(db)
    docs.add(make_table(50))
    docs.flush()
    report = docs.verify()
    assert report.rows == 50
    assert report.files >= 3
    assert report.bytes > 50 * DIM * 5
    assert pa.table(docs.search([0.0] * DIM)).num_rows == 10
