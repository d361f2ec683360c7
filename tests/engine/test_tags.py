"""Tags keep versions, and the retention keeps those that are new enough; nothing that is kept loses a file."""

from __future__ import annotations

import time

import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.gc import collect_garbage, named_files
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.engine.tags import create_tag, delete_tag, list_tags, tag_path
from drift_arrow.errors import (
    AlreadyExistsError,
    CorruptionError,
    InvalidArgumentError,
    NotFoundError,
    StorageError,
)
from tests.faults.faulty_storage import Faults, FaultyStorage
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table


def keys(view) -> list[int]:
    return sorted(view.scan().collect()["id"])


def turn(docs, start: int) -> None:
    """One more version, in which the one segment is another one."""
    docs.add(make_table(5, start=start))
    docs.flush()


@pytest.fixture
def docs(any_db):
    docs = create(any_db)
    docs.add(make_table(20))
    docs.flush()
    return docs


def test_a_tagged_version_stays_with_all_its_files(docs):
    assert docs.tag("first") == 2
    docs.delete(keys=[1, 2])
    for start in (100, 200, 300):
        turn(docs, start)
    assert docs.versions()["version"].to_list() == [2, 5]
    assert docs.versions()["tags"].to_list() == [["first"], []]
    assert keys(docs.at("first")) == list(range(20))
    assert docs.verify().versions == 2
    assert docs.verify().tags == 1


def test_a_tag_without_a_version_holds_all_rows_of_the_moment(docs):
    docs.add(make_table(5, start=50))
    docs.tag("now")
    docs.delete(where="id >= 0")
    docs.flush()
    assert keys(docs.at("now")) == [*range(20), *range(50, 55)]


def test_tags_are_listed(docs):
    docs.tag("b")
    docs.tag("a", 2)
    frame = docs.tags()
    assert frame["tag"].to_list() == ["a", "b"]
    assert frame["version"].to_list() == [2, 2]
    assert docs.versions()["tags"].to_list() == [["a", "b"]]


def test_an_untagged_version_goes_with_the_next_garbage(docs):
    docs.tag("first")
    turn(docs, 100)
    docs.untag("first")
    assert docs.versions()["version"].to_list() == [2, 3]
    docs.flush()
    assert docs.versions()["version"].to_list() == [3]
    with pytest.raises(NotFoundError, match=r"existing=\[\]"):
        docs.at("first")


def test_a_tag_is_written_once(docs):
    docs.tag("first")
    turn(docs, 100)
    with pytest.raises(AlreadyExistsError, match="untag it first"):
        docs.tag("first")
    assert docs.at("first").version == 2
    docs.untag("first")
    assert docs.tag("first") == 3


def test_an_unknown_tag_is_refused_with_those_that_exist(docs):
    docs.tag("a")
    with pytest.raises(NotFoundError, match=r"got='b' existing=\['a'\]"):
        docs.untag("b")
    with pytest.raises(NotFoundError, match=r"got='b' existing=\['a'\]"):
        docs.at("b")
    with pytest.raises(NotFoundError, match=r"existing=\[2\]"):
        docs.tag("b", 9)


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/passwd", "A", "a\0b", "é", "a" * 64, "-a", "a\n"])
def test_what_cannot_be_a_name_never_becomes_a_path(docs, name):
    for call in (docs.tag, docs.untag):
        with pytest.raises(InvalidArgumentError, match="a tag is"):
            call(name)
    with pytest.raises(NotFoundError):
        docs.at(name)


def test_tags_survive_the_reopening_and_are_seen_by_readers(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(20))
        docs.tag("first")
    with drift.connect(root) as db:
        docs = db.collection("docs", read_only=True)
        assert docs.at("first").version == docs.tags()["version"][0]
        for call in (docs.tag, docs.untag):
            with pytest.raises(InvalidArgumentError, match="read_only"):
                call("first")


def test_versions_of_the_last_seconds_are_kept(db, monkeypatch):
    docs = create(db, options=drift.Options(retained_seconds=3600))
    for start in (0, 100, 200):
        turn(docs, start)
    assert docs.versions()["version"].to_list() == [1, 2, 3, 4]
    later = time.time_ns() + 3601 * 10**9
    monkeypatch.setattr("drift_arrow.engine.gc.time.time_ns", lambda: later)
    docs.flush()
    assert docs.versions()["version"].to_list() == [4]


def test_the_version_that_was_the_newest_one_at_the_start_of_the_kept_time_is_kept(db, monkeypatch):
    docs = create(db, options=drift.Options(retained_seconds=3600))
    for start in (0, 100, 200):
        turn(docs, start)
    storage = docs._core.storage
    third = read_manifest(storage, 3).created_ns
    monkeypatch.setattr("drift_arrow.engine.gc.time.time_ns", lambda: third + 3600 * 10**9 - 1)
    collect_garbage(storage, docs.options)
    assert list_versions(storage) == [2, 3, 4]
    monkeypatch.setattr("drift_arrow.engine.gc.time.time_ns", lambda: third + 3600 * 10**9)
    collect_garbage(storage, docs.options)
    assert list_versions(storage) == [3, 4]


def test_a_clock_that_was_set_back_deletes_nothing_early(db, monkeypatch):
    docs = create(db, options=drift.Options(retained_seconds=3600))
    turn(docs, 0)
    monkeypatch.setattr("drift_arrow.engine.gc.time.time_ns", lambda: 0)
    docs.flush()
    assert docs.versions()["version"].to_list() == [1, 2]


@pytest.fixture
def aged(root, monkeypatch):
    """A closed collection whose version 2 has a tag, and whose version 3 is garbage, and its options."""
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    monkeypatch.setattr("drift_arrow.engine.maintenance.collect_garbage", lambda *args: None)
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(20))
        docs.tag("first")
        docs.delete(keys=[1])
        turn(docs, 100)
        turn(docs, 200)
    return LocalStorage(root / "docs"), drift.Options()


def existing(storage) -> set[str]:
    return {file.path for name in ("manifests", "segments", "tombstones", "tags") for file in storage.list_files(name)}


def damage(storage, path: str) -> None:
    data = bytearray(storage.read(path, 1 << 20))
    data[len(data) // 2] ^= 1
    storage.delete(path)
    with storage.create(path) as write:
        write(bytes(data))


def test_garbage_is_what_neither_the_newest_version_nor_a_tag_names(aged):
    storage, options = aged
    assert list_versions(storage) == [1, 2, 3, 4]
    collect_garbage(storage, options)
    assert list_versions(storage) == [2, 4]
    named = {path for version in (2, 4) for path in named_files(read_manifest(storage, version))}
    assert existing(storage) == named | {manifest_path(2), manifest_path(4), tag_path("first")}


@pytest.mark.parametrize("path", [tag_path("first"), manifest_path(2), manifest_path(4)])
def test_nothing_is_deleted_while_a_tag_or_a_manifest_that_is_kept_cannot_be_read(aged, path):
    storage, options = aged
    damage(storage, path)
    before = existing(storage)
    with pytest.raises(CorruptionError, match=path):
        collect_garbage(storage, options)
    assert existing(storage) == before


def test_nothing_is_deleted_while_a_tagged_manifest_is_missing(aged):
    storage, options = aged
    storage.delete(manifest_path(2))
    before = existing(storage)
    with pytest.raises(NotFoundError):
        collect_garbage(storage, options)
    assert existing(storage) == before


def test_nothing_is_deleted_while_a_manifest_that_may_be_young_enough_cannot_be_read(aged):
    storage, _ = aged
    damage(storage, manifest_path(3))
    before = existing(storage)
    with pytest.raises(CorruptionError, match=manifest_path(3)):
        collect_garbage(storage, drift.Options(retained_seconds=60))
    assert existing(storage) == before


def test_a_tag_that_was_made_of_another_version_keeps_nothing_and_lets_nothing_go(aged):
    storage, options = aged
    data = storage.read(manifest_path(3), 1 << 20)
    storage.delete(manifest_path(2))
    with storage.create(manifest_path(2)) as write:
        write(data)
    before = existing(storage)
    with pytest.raises(CorruptionError, match="another version"):
        collect_garbage(storage, options)
    assert existing(storage) == before


def test_a_tag_under_the_name_of_another_is_damage(aged):
    storage, options = aged
    data = storage.read(tag_path("first"), 1 << 20)
    with storage.create(tag_path("second")) as write:
        write(data)
    with pytest.raises(CorruptionError, match="another one"):
        collect_garbage(storage, options)


def test_a_crash_at_any_step_of_the_garbage_collection_leaves_every_version_whole_that_is_there(aged):
    storage, options = aged
    for step in range(100):
        faults = Faults(step, lasting=True)
        try:
            collect_garbage(FaultyStorage(storage, faults), options)
        except StorageError:
            assert faults.failed
        for version in list_versions(storage):
            assert set(named_files(read_manifest(storage, version))) <= existing(storage)
        if not faults.failed:
            break
    assert list_versions(storage) == [2, 4]
    with drift.connect(storage.uri.rpartition("/")[0]) as db:
        docs = db.collection("docs")
        assert keys(docs.at("first")) == list(range(20))
        assert docs.verify().unexplained == ()


def test_a_failure_at_any_step_of_tagging_leaves_a_tag_that_holds_or_none(aged):
    storage, options = aged
    third = read_manifest(storage, 3)
    for step in range(100):
        faults = Faults(step)
        try:
            create_tag(FaultyStorage(storage, faults), "third", third)
        except StorageError:
            assert faults.failed
        names = [tag.name for tag in list_tags(storage)]
        assert names in (["first"], ["first", "third"])
        if not faults.failed:
            break
        if "third" in names:
            delete_tag(storage, "third")
    assert step >= 3
    collect_garbage(storage, options)
    assert list_versions(storage) == [2, 3, 4]
