"""A verification reads everything, and compares what is said in two places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.collection import Collection
from drift_arrow.engine.commit import manifest_path, read_manifest
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.storage import create_file
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.errors import CorruptionError, NotFoundError
from drift_arrow.format import segment_tables, segment_writer
from drift_arrow.format.bitmap_file import encode_bitmap
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.segment_content import SegmentContent
from drift_arrow.kernels import bitmap
from drift_arrow.kernels.bloom import build_bloom
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table

KEEP = drift.Options(retained_versions=100, merge_bytes=0)


@pytest.fixture
def docs(db, monkeypatch):
    """Version 2 has one segment, version 3 two, and tombstones for one of them; a tag, and rows in the log."""
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    docs = create(db, options=KEEP)
    docs.add(make_table(50))
    docs.flush()
    docs.delete(keys=[1, 2, 3])
    docs.add(make_table(10, start=100))
    docs.flush()
    docs.tag("kept", 2)
    docs.add(make_table(5, start=200))
    return docs


def recommit(docs, *segments) -> None:
    """Put other entries into the newest manifest, with checksums that match."""
    storage = docs._core.storage
    manifest = replace(docs._core.snapshot.manifest, segments=segments)
    storage.delete(manifest_path(manifest.version))
    create_file(storage, manifest_path(manifest.version), manifest.encode())


def entries(docs):
    return docs._core.snapshot.manifest.segments


def test_everything_is_read_and_counted(docs):
    report = docs.verify()
    assert (report.version, report.versions, report.tags) == (3, 3, 1)
    assert (report.rows, report.deleted_rows) == (60, 3)
    assert report.unexplained == ()
    frame = report.to_polars()
    assert sorted(frame["kind"].unique()) == ["log", "manifest", "segment", "tag", "tombstones"]
    assert set(frame["state"]) == {"sound"}
    assert "version 3 is sound" in repr(report)
    assert report.to_dict()["files"] == report.files == 5
    assert frame["rows"].sum() == 60


def test_damage_of_any_file_is_found(docs, root):
    for path in [file.path for file in docs.verify().checked]:
        file = root / "docs" / path
        data = file.read_bytes()
        # not the last byte of a log, whose tail may be torn
        place = 80 if path.startswith("wal") else len(data) - 1
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(CorruptionError) as caught:
            docs.verify()
        assert caught.value.path == path
        file.write_bytes(data)
    docs.verify()


def test_a_missing_file_is_found_unless_it_is_all_that_there_is_of_a_version_or_tag(docs, root):
    for path in [file.path for file in docs.verify().checked]:
        file = root / "docs" / path
        data = file.read_bytes()
        file.unlink()
        if path.startswith("tags") or path == manifest_path(1):
            docs.verify()
        else:
            with pytest.raises((NotFoundError, CorruptionError)):
                docs.verify()
        file.write_bytes(data)


def test_files_that_nothing_names_are_listed(docs, root):
    names = ["segments/x.drift", "tombstones/y", "manifests/z.json", "wal/note.txt"]
    for name in names:
        (root / "docs" / name).write_bytes(b"x")
    report = docs.verify()
    assert sorted(report.unexplained) == sorted(names)
    assert report.to_polars()["state"].to_list().count("unexplained") == 4


def test_a_reader_verifies_all_of_it_too(docs, root):
    reader = Collection("docs", Reader(LocalStorage(root / "docs")), read_only=True)
    assert reader.verify().to_dict() == docs.verify().to_dict()


def test_another_number_of_live_rows_is_found(docs):
    first, second = entries(docs)
    recommit(docs, replace(first, n_live=first.n_live - 1), second)
    with pytest.raises(CorruptionError, match="expected=46 got=47"):
        docs.verify()
    recommit(docs, first, replace(second, n_live=second.n_live - 1))
    with pytest.raises(CorruptionError, match="expected=9 got=10"):
        docs.verify()


def test_another_number_of_rows_or_other_seqnos_are_found(docs):
    first, second = entries(docs)
    for changed in (
        replace(second, n_rows=11),
        replace(second, seqno_range=(second.seqno_range[0], second.seqno_range[1] + 1)),
    ):
        recommit(docs, first, changed)
        with pytest.raises(CorruptionError, match="what the manifest says"):
            docs.verify()


def test_a_key_that_is_alive_in_two_segments_is_found(docs):
    docs.upsert(make_table(5, start=10))
    docs.flush()
    first, second, third = entries(docs)
    docs.verify()
    assert docs.stats().segments == 3
    rows = first.n_rows
    uuid = next(view.reader.uuid for view in docs.pin().segments if view.entry.path == first.path)
    live = bitmap.from_mask(np.arange(rows) < first.n_live)
    data = encode_bitmap(live, rows, uuid)
    path = "tombstones/00000000-0000-0000-0000-000000000000.bits"
    create_file(docs._core.storage, path, data)
    forged = replace(first.tombstones, path=path, size_bytes=len(data), digest=xxh3_128(data))
    recommit(docs, replace(first, tombstones=forged), second, third)
    with pytest.raises(CorruptionError, match="alive in two segments"):
        docs.verify()


def written_wrongly(monkeypatch, change):
    """Let the writer of segments write another thing than it should, with checksums that match."""
    inner = segment_writer.write_segment

    def write(sink, content):
        (rows,) = content.extents()
        return inner(sink, SegmentContent(spec=content.spec, rows=change(rows)))

    monkeypatch.setattr("drift_arrow.engine.heal.relocation.write_segment", write)


def test_fingerprints_of_other_keys_are_found(docs, monkeypatch):
    def swap(rows):
        fingerprints = rows.fingerprints.copy()
        fingerprints[[0, 1]] = fingerprints[[1, 0]]
        return replace(rows, fingerprints=fingerprints)

    written_wrongly(monkeypatch, swap)
    docs.flush()
    with pytest.raises(CorruptionError, match="not those of the keys"):
        docs.verify()


def test_a_key_that_comes_twice_is_found(docs, monkeypatch):
    def double(rows):
        fingerprints = rows.fingerprints.copy()
        fingerprints[1] = fingerprints[0]
        keys = rows.table.column("id").to_numpy().copy()
        keys[1] = keys[0]
        return replace(rows, fingerprints=fingerprints, table=rows.table.set_column(0, "id", [keys]))

    written_wrongly(monkeypatch, double)
    docs.flush()
    with pytest.raises(CorruptionError, match="unique"):
        docs.verify()


def test_a_filter_that_does_not_know_a_key_is_found(docs, monkeypatch):
    monkeypatch.setattr(segment_tables, "build_bloom", lambda fingerprints: np.zeros_like(build_bloom(fingerprints)))
    docs.flush()
    with pytest.raises(CorruptionError, match="Bloom"):
        docs.verify()


def test_the_manifest_of_another_collection_under_a_tag_is_found(docs):
    storage = docs._core.storage
    other = replace(read_manifest(storage, 2), txn="0" * 32)
    storage.delete(manifest_path(2))
    create_file(storage, manifest_path(2), other.encode())
    with pytest.raises(CorruptionError, match="made of another version"):
        docs.verify()
