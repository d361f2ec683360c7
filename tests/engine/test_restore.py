"""A restore brings an older version back as a new one."""

from __future__ import annotations

import threading

import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.storage import local
from drift_arrow.errors import AlreadyExistsError, InvalidArgumentError, NotFoundError, StorageError
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table

KEEP = drift.Options(retained_versions=100, merge_bytes=0)


def keys(view) -> list[int]:
    return sorted(view.scan().collect()["id"])


@pytest.fixture
def docs(any_db):
    docs = create(any_db, options=KEEP)
    docs.add(make_table(50))
    docs.flush()
    docs.delete(keys=list(range(10)))
    docs.add(make_table(10, start=100))
    docs.flush()
    return docs


def test_rows_of_an_older_version_come_back(docs):
    docs.add(make_table(5, start=200))
    version = docs.restore(2)
    assert version == docs.versions()["version"][-1] == docs.stats().version
    assert keys(docs) == list(range(50))
    assert keys(docs.at(version)) == list(range(50))
    assert docs.search([0.0] * 8).limit(50).to_polars().height == 50
    docs.verify()


def test_a_restore_can_be_undone_with_the_rows_that_were_not_flushed(docs):
    docs.add(make_table(5, start=200))
    before = keys(docs)
    version = docs.restore(2)
    docs.restore(version - 1)
    assert keys(docs) == before


def test_writes_go_on_after_a_restore(docs):
    docs.restore(2)
    with pytest.raises(AlreadyExistsError):
        docs.add(make_table(1))
    docs.add(make_table(10, start=100))
    docs.delete(keys=[0])
    docs.flush()
    assert keys(docs) == [*range(1, 50), *range(100, 110)]
    docs.verify()


def test_a_restore_survives_the_reopening(root):
    with drift.connect(root) as db:
        docs = create(db, options=KEEP)
        docs.add(make_table(50))
        docs.flush()
        docs.delete(keys=list(range(10)))
        docs.restore(2)
        docs.add(make_table(1, start=300))
    with drift.connect(root) as db:
        assert keys(db.collection("docs")) == [*range(50), 300]


def test_a_restore_of_the_only_version_that_is_kept_takes_back_what_was_not_flushed(db):
    docs = create(db)
    docs.add(make_table(20))
    docs.flush()
    docs.delete(keys=[1, 2, 3])
    assert keys(docs.at(docs.restore(2))) == list(range(20))
    assert keys(docs) == list(range(20))
    docs.verify()


def test_a_restore_by_a_tag_or_to_an_empty_version_works(docs):
    docs.tag("first", 2)
    docs.restore("first")
    assert keys(docs) == list(range(50))
    docs.restore(1)
    assert len(docs) == 0
    docs.add(make_table(3))
    assert len(docs) == 3


def test_a_restore_of_what_is_not_there_changes_nothing(docs):
    before = docs.versions()
    with pytest.raises(NotFoundError):
        docs.restore(99)
    with pytest.raises(InvalidArgumentError, match="read_only"):
        type(docs)("docs", Reader(docs._core.storage), read_only=True).restore(2)
    assert docs.versions().equals(before)
    assert len(docs) == 50


def test_a_restore_that_cannot_be_committed_loses_nothing(root, monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    with drift.connect(root) as db:
        docs = create(db, options=KEEP)
        docs.add(make_table(50))
        docs.flush()
        docs.add(make_table(5, start=200))

        def fail(*args):
            raise StorageError("storage failed: No space left on device")

        monkeypatch.setattr("drift_arrow.engine.restore.publish", fail)
        with pytest.raises(StorageError, match="No space"):
            docs.restore(2)
        assert len(docs) == 55
        docs.add(make_table(5, start=300))
        monkeypatch.undo()
        docs.flush()
        assert len(docs) == 60
        docs.verify()
    with drift.connect(root) as db:
        assert len(db.collection("docs")) == 60


def test_racing_writers_are_before_a_restore_or_after_it(root):
    options = drift.Options(memtable_bytes=60 * 8 * 4, retained_versions=1000)
    with drift.connect(root) as db:
        docs = create(db, options=options)
        docs.add(make_table(50))
        docs.flush()
        version = docs.versions()["version"][-1]
        failures = []

        def write(start: int) -> None:
            for turn in range(40):
                try:
                    docs.upsert(make_table(10, start=start + 10 * turn))
                except drift.DriftError as error:
                    failures.append(error)

        threads = [threading.Thread(target=write, args=(1000 * number,)) for number in range(1, 4)]
        for thread in threads:
            thread.start()
        restored = [docs.restore(version) for _ in range(5)]
        for thread in threads:
            thread.join()
        assert failures == []
        for number in restored:
            assert keys(docs.at(number)) == list(range(50))
        found = keys(docs)
        assert found[:50] == list(range(50))
        # batches are whole, and every one behind the last restore is there: the last ones of each thread, in a row
        starts = [key for key in found[50:] if key % 10 == 0]
        assert found[50:] == [key for start in starts for key in range(start, start + 10)]
        for number in range(1, 4):
            mine = [start for start in starts if start // 1000 == number]
            assert mine == list(range(1000 * number + 400 - 10 * len(mine), 1000 * number + 400, 10))
        docs.flush()
        docs.verify()
    with drift.connect(root) as db:
        assert keys(db.collection("docs")) == found


def test_a_reader_follows_a_restore(root):
    with drift.connect(root) as db:
        docs = create(db, options=KEEP)
        docs.add(make_table(50))
        docs.flush()
        reader = Reader(local.LocalStorage(root / "docs"))
        docs.delete(keys=[1])
        docs.flush()
        reader.refresh()
        assert reader.snapshot.n_live == 49
        docs.restore(2)
        reader.refresh()
        assert reader.snapshot.n_live == 50
