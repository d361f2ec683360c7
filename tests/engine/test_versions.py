"""Time travel: a version is exactly the state at its seqno, for as long as it is kept."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.collection import Collection
from drift_arrow.engine.commit import list_versions, manifest_path
from drift_arrow.engine.past import Past
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.errors import CorruptionError, InvalidArgumentError, NotFoundError
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table, matrix_of

KEEP = drift.Options(retained_versions=100, merge_bytes=0)


def keys(view) -> list[int]:
    return sorted(view.scan().collect()["id"])


def newest(docs) -> int:
    return docs.versions()["version"][-1]


@pytest.fixture
def history(any_db):
    """A collection with versions 2 (50 rows), 3 (40 of them) and 4 (and 10 others), and rows in its memtable."""
    docs = create(any_db, options=KEEP)
    docs.add(make_table(50))
    docs.flush()
    docs.delete(keys=list(range(10)))
    docs.flush()
    docs.add(make_table(10, start=100))
    docs.flush()
    docs.add(make_table(5, start=200))
    return docs


def test_versions_are_listed_with_what_they_hold(history):
    frame = history.versions()
    assert frame["version"].to_list() == [1, 2, 3, 4]
    assert frame["rows"].to_list() == [0, 50, 40, 50]
    assert frame["segments"].to_list() == [0, 1, 1, 2]
    assert frame["seqno"].is_sorted()
    assert frame["created"].is_sorted()
    assert frame["bytes"][0] == 0
    assert frame["bytes"][2] > frame["bytes"][1]
    assert frame["tags"].to_list() == [[], [], [], []]


def test_a_version_holds_exactly_its_rows(history):
    assert keys(history.at(1)) == []
    assert keys(history.at(2)) == list(range(50))
    assert keys(history.at(3)) == list(range(10, 50))
    assert keys(history.at(4)) == [*range(10, 50), *range(100, 110)]
    assert len(history) == 55


def test_a_version_is_searched_read_counted_and_verified_like_a_collection(history):
    past = history.at(2)
    query = matrix_of(make_table(50))[3]
    assert past.search(query).limit(1).to_polars()["id"].to_list() == [3]
    assert past.search(query).exact().where("id < 2").limit(5).to_polars().height == 2
    assert history.search(query).limit(1).to_polars()["id"].to_list() != [3]
    assert past.get([3, 60]).column("id").to_pylist() == [3]
    assert past.stats().rows == len(past) == 50
    assert past.stats().version == past.version == 2
    assert past.verify().rows == 50
    assert "version 2" in repr(past)
    assert past.scan().filter(pl.col("id") < 5).collect().height == 5


def test_an_empty_version_answers_searches(history):
    assert history.at(1).search([0.0] * 8).to_polars().height == 0


def test_a_version_never_changes(history):
    past = history.at(2)
    history.delete(where="id >= 0")
    history.flush()
    assert keys(past) == list(range(50))


def test_a_version_outlives_the_handle_that_it_came_from(history):
    past = history.at(2)
    history.close()
    assert keys(past) == list(range(50))


def test_a_time_means_the_version_that_was_the_newest_one_then(history):
    created = history.versions()["created"].to_list()
    assert history.at(created[2]).version == 3
    assert history.at(created[2] - timedelta(microseconds=1)).version == 2
    assert history.at(datetime.now(UTC)).version == 4
    assert history.at(datetime.now(timezone(timedelta(hours=9)))).version == 4
    with pytest.raises(NotFoundError, match=r"existing=\[1, 2, 3, 4\]"):
        history.at(created[0] - timedelta(seconds=1))


def test_a_time_in_a_gap_of_the_versions_is_refused_since_its_version_is_gone(history):
    created = history.versions()["created"].to_list()
    history._core.storage.delete(manifest_path(3))
    with pytest.raises(NotFoundError, match=r"existing=\[1, 2, 4\]"):
        history.at(created[2])
    assert history.at(created[3]).version == 4
    assert history.at(created[0]).version == 1


@pytest.mark.parametrize("which", [datetime(2026, 1, 1), True, 1.0, None, b"x"])  # noqa: DTZ001 - that is refused
def test_what_is_no_version_is_refused(history, which):
    with pytest.raises(InvalidArgumentError):
        history.at(which)


def test_a_version_that_was_not_kept_is_refused_with_those_that_exist(db):
    docs = create(db)
    docs.add(make_table(10))
    docs.flush()
    with pytest.raises(NotFoundError, match=r"got=1 existing=\[2\]"):
        docs.at(1)


def test_writes_between_the_rotation_of_the_log_and_its_flush_are_in_no_version_before_their_own(root, monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    with drift.connect(root) as db:
        docs = create(db, options=KEEP)
        docs.add(make_table(20))
        docs.flush()
        docs.add(make_table(10, start=20))
        docs._core.freeze()
        # of a segment, and of the memtable that is about to be flushed
        docs.upsert(make_table(3, start=5, seed=9))
        docs.delete(keys=[25])
        docs._core.maintenance.flush_frozen()
        docs.flush()
        assert keys(docs.at(3)) == list(range(30))
        assert docs.at(3).get([5]).equals(docs.at(2).get([5]))
        assert keys(docs.at(4)) == [*range(25), *range(26, 30)]
        expected = docs.get([5])
        assert docs.at(4).get([5]).equals(expected)
        assert not expected.equals(docs.at(2).get([5]))
        assert docs.versions()["rows"].to_list() == [0, 20, 30, 29]


def test_versions_under_writers_are_states_that_the_collection_had(root):
    options = drift.Options(memtable_bytes=100 * 8 * 4, retained_versions=1000)
    with drift.connect(root) as db:
        docs = create(db, options=options)
        docs.add(make_table(400))

        def write(start: int) -> None:
            for turn in range(30):
                docs.upsert(make_table(40, start=start, seed=turn))

        threads = [threading.Thread(target=write, args=(100 * number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        docs.flush()
        versions = [version for version in docs.versions()["version"] if version > 1]
        assert len(versions) > 5
        for version in versions[1:]:
            past = docs.at(version)
            # an upsert that was half in a version would take its keys away
            assert keys(past) == list(range(400))
            past.verify()


def test_a_reader_in_another_process_keeps_its_version_when_the_writer_deletes_it(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(30))
        docs.flush()
        reader = Collection("docs", Reader(LocalStorage(root / "docs")), read_only=True)
        past = reader.at(2)
        docs.delete(keys=[1])
        docs.flush()
        assert list_versions(LocalStorage(root / "docs")) == [3]
        assert keys(past) == list(range(30))
        assert past.search([0.0] * 8).limit(3).to_polars().height == 3
        with pytest.raises(NotFoundError, match=r"existing=\[3\]"):
            reader.at(2)
        with pytest.raises(NotFoundError):
            past.verify()


def test_a_version_that_is_deleted_while_it_is_opened_is_refused_as_one_that_was_not_kept(root, monkeypatch):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(30))
        docs.flush()
        reader = Collection("docs", Reader(LocalStorage(root / "docs")), read_only=True)
        docs.delete(keys=[1])
        docs.flush()
        docs.delete(keys=[2])

        def open_late(*args):
            monkeypatch.undo()
            docs.flush()
            return Past(*args)

        monkeypatch.setattr("drift_arrow.engine.past.Past", open_late)
        with pytest.raises(NotFoundError, match=r"got=3 existing=\[4\]"):
            reader.at(3)


def test_a_manifest_under_the_name_of_another_version_is_damage(history):
    storage = history._core.storage
    data = storage.read(manifest_path(2), 1 << 20)
    storage.delete(manifest_path(3))
    with storage.create(manifest_path(3)) as write:
        write(data)
    with pytest.raises(CorruptionError, match="another version"):
        history.at(3)
