"""A collection that somebody handed over: nothing outside of it is read, written or deleted, whatever its files say."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.gc import collect_garbage
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.engine.tags import tag_path
from drift_arrow.errors import CorruptionError, DriftError, InvalidArgumentError, LimitExceededError, StorageError
from drift_arrow.format.layout import MAX_MANIFEST_BYTES, MAX_TAG_BYTES
from drift_arrow.format.manifest import FileEntry
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table

DIRECTORIES = ("manifests", "segments", "tombstones", "wal", "tags")


@pytest.fixture
def path(root, monkeypatch) -> Path:
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    with drift.connect(root) as db:
        docs = create(db, options=drift.Options(merge_bytes=0))
        docs.add(make_table(20))
        docs.flush()
        docs.delete(keys=[1])
        docs.add(make_table(5, start=50))
        docs.flush()
        docs.tag("kept")
    return root / "docs"


def use(path: Path) -> None:
    """Open for reading and writing, read, verify, write, collect garbage."""
    with drift.connect(path.parent) as db:
        docs = db.collection("docs")
        docs.scan().collect()
        docs.at("kept")
        docs.verify()
        docs.add(make_table(3, start=900))
        docs.flush()


def contents(directory: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in directory.iterdir()}


@pytest.mark.parametrize("name", DIRECTORIES)
def test_a_directory_that_is_a_link_is_refused_and_nothing_behind_it_is_touched(path, tmp_path, name):
    elsewhere = tmp_path / "elsewhere"
    (path / name).rename(elsewhere)
    (elsewhere / "mine.txt").write_text("mine")
    (elsewhere / ".tmp-mine").write_text("mine")
    (path / name).symlink_to(elsewhere)
    before = contents(elsewhere)
    with pytest.raises((StorageError, DriftError)):
        use(path)
    assert contents(elsewhere) == before


def test_a_file_that_is_a_link_is_refused(path, tmp_path):
    for file in sorted(path.rglob("*")):
        if not file.is_file() or file.name == "LOCK":
            continue
        target = tmp_path / "target"
        file.rename(target)
        before = target.read_bytes()
        file.symlink_to(target)
        if file.parent.name == "tags":
            # a file that is a link is none, so there is no such tag
            with pytest.raises(DriftError, match="no such tag"):
                use(path)
        elif file.parent.name != "wal" or file == min((path / "wal").iterdir()):
            with pytest.raises(DriftError):
                use(path)
        assert target.read_bytes() == before
        file.unlink(missing_ok=True)
        target.rename(file)


def test_a_lock_that_is_a_link_is_refused(path, tmp_path):
    target = tmp_path / "target"
    target.write_text("mine")
    (path / "LOCK").unlink(missing_ok=True)
    (path / "LOCK").symlink_to(target)
    with pytest.raises(StorageError):
        use(path)
    assert target.read_text() == "mine"


@pytest.mark.parametrize(
    "hostile",
    [
        "../other/segments/00000000-0000-0000-0000-000000000000.drift",
        "/etc/passwd",
        "segments/../../x.drift",
        "segments/..%2f..%2fx.drift",
        "segments/0000000000000000000000000000000000\0.drift",
        "wal/00000000-0000-0000-0000-000000000000.drift",
        "segments/00000000-0000-0000-0000-000000000000.drift\n",
    ],
)
def test_a_manifest_that_names_a_path_of_its_own_is_refused(path, hostile):
    storage = LocalStorage(path)
    version = list_versions(storage)[-1]
    manifest = read_manifest(storage, version)
    first, *rest = manifest.segments
    tombstones = FileEntry(path=hostile, size_bytes=1, digest="0" * 32)
    for changed in (replace(first, path=hostile), replace(first, tombstones=tombstones)):
        data = replace(manifest, segments=(changed, *rest)).encode()
        (path / manifest_path(version)).write_bytes(data)
        with pytest.raises(CorruptionError, match="metadata needs"):
            drift.connect(path.parent).collection("docs")
        with pytest.raises(CorruptionError):
            collect_garbage(storage, drift.Options())


def test_files_that_no_collection_named_are_never_deleted(path):
    for name in DIRECTORIES:
        if name != "tags":
            (path / name / "mine.txt").write_text("mine")
    (path / "mine").mkdir()
    (path / "mine/file").write_text("mine")
    use(path)
    assert all((path / name / "mine.txt").exists() for name in DIRECTORIES if name != "tags")
    assert (path / "mine/file").exists()


def test_a_file_above_its_limit_is_refused_before_it_is_read_whole(path, monkeypatch):
    limits = []
    inner = LocalStorage.read

    def read(self, name, limit_bytes):
        limits.append(limit_bytes)
        return inner(self, name, limit_bytes)

    monkeypatch.setattr(LocalStorage, "read", read)
    newest = manifest_path(list_versions(LocalStorage(path))[-1])
    for name in (tag_path("kept"), newest):
        # sparse: a terabyte that takes no space
        os.truncate(path / name, 1 << 40)
        with pytest.raises((CorruptionError, LimitExceededError)):
            collect_garbage(LocalStorage(path), drift.Options())
    assert max(limits) == MAX_MANIFEST_BYTES
    assert MAX_TAG_BYTES + 1 in limits


def hostile_names() -> list[str]:
    """Traversals, separators, control characters, characters that look like others, drives and lengths."""
    parts = ["..", ".", "/", "\\", "\0", "~", "C:", "a\u202eb", "\uff0e\uff0e", "%2e%2e", "A", " ", "\u00e9", "\n"]
    joined = [name for first in parts for name in (f"{first}a", f"a{first}", f"a/{first}/b")]
    return ["", "-a", "_a", "a" * 64, "x" * 4096, *parts, *joined, *(f"{a}/{b}" for a in parts for b in parts)]


def test_hostile_names_never_become_paths(root):
    with drift.connect(root) as db:
        create(db)
        before = sorted(root.parent.rglob("*"))
        for name in hostile_names():
            for call in (db.collection, db.drop_collection, lambda name: create(db, name)):
                with pytest.raises(InvalidArgumentError, match="a collection name is"):
                    call(name)
        assert sorted(root.parent.rglob("*")) == before
