"""Damaged files: an error that names the file, or the right answer; never a wrong answer and never another error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.collection import Collection
from drift_arrow.engine.commit import read_manifest
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.recovery import recover
from drift_arrow.errors import CorruptionError, NotFoundError, UnsupportedFormatError
from drift_arrow.format import segment_file
from drift_arrow.format.bitmap_file import decode_bitmap, encode_bitmap
from drift_arrow.format.layout import RECORD_HEADER_BYTES, RECORD_MAGIC
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.kernels import bitmap
from tests.faults.disk_model import SECTOR_BYTES
from tests.faults.frozen_storage import FrozenStorage
from tests.faults.idle_janitor import IdleJanitor
from tests.faults.rows import DIM, SCHEMA, Versions, make_rows, read_rows, snapshot_rows
from tests.format.samples import UUID_1

Files = dict[str, bytes]


class Sample(NamedTuple):
    """A closed collection: its files by kind, and its rows after each operation."""

    files: Files
    manifest: str
    segments: list[str]
    tombstones: str
    logs: list[str]
    history: list[Versions]
    known: dict[str, SegmentReader]
    answers: tuple[Versions, list[dict[str, object]]]


def write_collection(root: Path) -> Files:
    """Two segments, one of them with deleted rows, and three log files behind the manifest."""
    options = drift.Options(memtable_bytes=64 * DIM * 4, merge_bytes=0, retained_versions=2)
    with drift.connect(root) as db:
        docs = db.create_collection("docs", schema=SCHEMA, vector="embedding", key="id", options=options)
        docs.add(make_rows(dict.fromkeys(range(40), 1)))
        docs.flush()
        docs.delete(keys=[3, 30])
        docs.add(make_rows(dict.fromkeys(range(40, 60), 2)))
        docs.flush()
        docs.upsert(make_rows({5: 3, 70: 3}))
        docs._core.freeze()  # type: ignore[attr-defined]
        docs.delete(keys=[6, 41])
        docs._core.freeze()  # type: ignore[attr-defined]
        docs.upsert(make_rows({7: 4}))
        docs.add(make_rows({71: 5}))
    directory = root / "docs"
    paths = [path for path in directory.rglob("*") if path.is_file() and path.name != "LOCK"]
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Sample:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "Janitor", IdleJanitor)
        files = write_collection(tmp_path_factory.mktemp("sample"))
    flushed = dict.fromkeys(range(40), 1) | dict.fromkeys(range(40, 60), 2)
    rows = {key: version for key, version in flushed.items() if key not in {3, 30}}
    history = [rows, rows := rows | {5: 3, 70: 3}]
    history += [rows := {key: version for key, version in rows.items() if key not in {6, 41}}]
    history += [rows := rows | {7: 4}, rows | {71: 5}]
    recovered = recover(FrozenStorage(files))

    def of_kind(directory: str) -> list[str]:
        return sorted(path for path in files if path.startswith(directory))

    return Sample(
        files=files,
        manifest=of_kind("manifests")[-1],
        segments=of_kind("segments"),
        tombstones=of_kind("tombstones")[0],
        logs=of_kind("wal"),
        history=history,
        known={view.entry.path: view.reader for view in recovered.snapshot.segments},
        answers=answers(open_files(files)),
    )


def answers(docs: Collection) -> tuple[Versions, list[dict[str, object]]]:
    """All rows, and those that searches find."""
    search = docs.search([[20.0, 1.0], [55.0, 2.0]]).limit(7)
    return read_rows(docs.to_batches()), search.to_arrow().to_pylist() + search.exact().to_arrow().to_pylist()


def open_files(files: Files) -> Collection:
    return Collection("docs", Reader(FrozenStorage(files)), read_only=True)


def known_segments(sample: Sample, files: Files) -> dict[str, SegmentReader]:
    """Readers of the segments that are whole: opening them again and again would be most of the work."""
    return {path: reader for path, reader in sample.known.items() if files.get(path) == sample.files[path]}


def rows_of(sample: Sample, files: Files) -> Versions:
    return snapshot_rows(recover(FrozenStorage(files), known_segments(sample, files)).snapshot)


def use(sample: Sample, files: Files) -> None:
    """Open, search and verify; no answer may be wrong."""
    recover(FrozenStorage(files), known_segments(sample, files))
    docs = open_files(files)
    assert answers(docs) == sample.answers
    docs.verify()


def assert_is_found(sample: Sample, files: Files, damaged: str, *missing_error: type[Exception]) -> None:
    """Opening, searching or verifying `files` names the damaged file."""
    with pytest.raises((CorruptionError, UnsupportedFormatError, *missing_error)) as caught:
        use(sample, files)
    error = caught.value
    assert damaged in str(error)
    if isinstance(error, CorruptionError):
        assert error.path == damaged
        assert 0 <= error.offset <= max(len(sample.files[damaged]), len(files.get(damaged, b"")))


def flips(data: bytes, positions: Iterable[int]) -> Iterator[bytes]:
    for position in positions:
        damaged = bytearray(data)
        damaged[position] ^= 1 << position % 8
        yield bytes(damaged)


def zeroed_sectors(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), SECTOR_BYTES):
        zeros = bytes(len(data[start : start + SECTOR_BYTES]))
        if data[start : start + SECTOR_BYTES] != zeros:
            yield data[:start] + zeros + data[start + SECTOR_BYTES :]


def test_the_sample_is_whole(sample):
    rows, found = sample.answers
    assert rows == sample.history[-1]
    assert len(found) == 4 * 7
    assert len(sample.segments) == 2
    assert len(sample.logs) == 3
    assert open_files(sample.files).verify().files == 7


def test_a_flip_anywhere_in_the_manifest_is_found(sample):
    data = sample.files[sample.manifest]
    for damaged in flips(data, range(len(data))):
        assert_is_found(sample, sample.files | {sample.manifest: damaged}, sample.manifest)


def test_a_flip_anywhere_in_a_tombstone_file_is_found(sample):
    data = sample.files[sample.tombstones]
    for damaged in flips(data, range(len(data))):
        assert_is_found(sample, sample.files | {sample.tombstones: damaged}, sample.tombstones)


@pytest.mark.parametrize("step", [37, pytest.param(1, marks=pytest.mark.slow)])
def test_a_flip_anywhere_in_a_segment_is_found(sample, step):
    for path in sample.segments:
        data = sample.files[path]
        for damaged in flips(data, range(0, len(data), step)):
            assert_is_found(sample, sample.files | {path: damaged}, path)


@pytest.mark.parametrize("step", [293, pytest.param(7, marks=pytest.mark.slow)])
def test_a_flip_in_a_segment_that_is_too_large_to_be_read_whole_at_opening_is_found(sample, step, monkeypatch):
    monkeypatch.setattr(segment_file, "VERIFY_ON_OPEN_BYTES", 0)
    path = sample.segments[0]
    data = sample.files[path]
    for damaged in flips(data, range(0, len(data), step)):
        assert_is_found(sample, sample.files | {path: damaged}, path)


def test_a_flip_in_a_closed_log_is_found_unless_it_hits_the_close_mark_behind_which_nothing_is_missing(sample):
    for path in sample.logs:
        data = sample.files[path]
        mark = len(data) - RECORD_HEADER_BYTES
        for damaged in flips(data, range(mark)):
            assert_is_found(sample, sample.files | {path: damaged}, path)
        for damaged in flips(data, range(mark, len(data))):
            assert rows_of(sample, sample.files | {path: damaged}) == sample.history[-1]


def test_a_flip_in_the_last_record_of_a_log_that_was_not_closed_reads_as_the_rows_before_it(sample):
    path = sample.logs[-1]
    whole = sample.files[path]
    # the marks behind the last operation vouch for it: without them it is the end of the last group, SYNC the start
    data = whole[: len(whole) - 2 * RECORD_HEADER_BYTES]
    last = data.rindex(RECORD_MAGIC, 0, data.rindex(RECORD_MAGIC))
    assert rows_of(sample, sample.files | {path: data}) == sample.history[-1]
    for damaged in flips(data, range(last)):
        assert_is_found(sample, sample.files | {path: damaged}, path)
    for damaged in flips(data, range(last, len(data))):
        assert rows_of(sample, sample.files | {path: damaged}) == sample.history[-2]


def test_a_file_that_is_cut_off_is_found(sample):
    for path in (sample.manifest, sample.tombstones, *sample.segments):
        data = sample.files[path]
        for length in range(0, len(data), max(1, len(data) // 300)):
            assert_is_found(sample, sample.files | {path: data[:length]}, path)


def test_a_file_with_bytes_behind_its_end_is_found(sample):
    for path in (sample.manifest, sample.tombstones, *sample.segments):
        for extra in (b"\0", b"\n", bytes(4096), sample.files[path]):
            assert_is_found(sample, sample.files | {path: sample.files[path] + extra}, path)


def test_a_log_that_is_cut_off_is_found_if_another_one_follows_and_else_reads_as_the_rows_of_its_start(sample):
    *older, newest = sample.logs
    for path in older:
        data = sample.files[path]
        for length in range(0, len(data) - RECORD_HEADER_BYTES, 3):
            with pytest.raises(CorruptionError, match="|".join(older)):
                rows_of(sample, sample.files | {path: data[:length]})
    data = sample.files[newest]
    for length in range(0, len(data), 3):
        assert rows_of(sample, sample.files | {newest: data[:length]}) in sample.history[-3:]


def test_a_zeroed_sector_is_found(sample):
    for path in (sample.manifest, sample.tombstones, *sample.segments, *sample.logs[:-1]):
        for damaged in zeroed_sectors(sample.files[path]):
            assert_is_found(sample, sample.files | {path: damaged}, path)


def test_a_zeroed_sector_of_the_newest_log_is_found_unless_nothing_follows_it(sample):
    path = sample.logs[-1]
    *inner, last = zeroed_sectors(sample.files[path])
    assert inner
    for damaged in inner:
        assert_is_found(sample, sample.files | {path: damaged}, path)
    assert rows_of(sample, sample.files | {path: last}) in sample.history[-3:]


def test_a_log_of_nothing_but_zeros_is_found(sample):
    for path in sample.logs:
        assert_is_found(sample, sample.files | {path: bytes(len(sample.files[path]))}, path)


def test_two_segments_in_each_others_place_are_found(sample):
    first, second = sample.segments
    files = sample.files | {first: sample.files[second], second: sample.files[first]}
    (named_first, *_) = read_manifest(FrozenStorage(files), 3).segments
    assert_is_found(sample, files, named_first.path)


def test_the_tombstones_of_another_segment_are_found(sample):
    reader = sample.known[sample.segments[0]]
    bits = encode_bitmap(bitmap.full(reader.n_rows), reader.n_rows, UUID_1)
    assert_is_found(sample, sample.files | {sample.tombstones: bits}, sample.tombstones)


def test_the_tombstones_of_an_earlier_version_of_the_same_segment_are_found(sample):
    (entry,) = [entry for entry in read_manifest(FrozenStorage(sample.files), 3).segments if entry.tombstones]
    reader = sample.known[entry.path]
    # as many rows alive as now, but not the same ones: counts do not tell
    bits = decode_bitmap(sample.files[sample.tombstones], sample.tombstones, reader.n_rows, reader.uuid)
    earlier = encode_bitmap(moved_by_one(bits, reader.n_rows), reader.n_rows, reader.uuid)
    assert_is_found(sample, sample.files | {sample.tombstones: earlier}, sample.tombstones)


def moved_by_one(bits: np.ndarray, n_rows: int) -> np.ndarray:
    return np.packbits(np.roll(bitmap.to_mask(bits, n_rows), 1), bitorder="little")


def test_an_older_manifest_in_place_of_the_newest_is_found(sample):
    older = min(path for path in sample.files if path.startswith("manifests"))
    with pytest.raises(CorruptionError):
        open_files(sample.files | {sample.manifest: sample.files[older]})


def test_a_missing_file_is_found(sample):
    for path in (sample.tombstones, *sample.segments):
        files = {name: data for name, data in sample.files.items() if name != path}
        assert_is_found(sample, files, path, NotFoundError)


def test_a_missing_newest_manifest_does_not_bring_the_state_before_it_back(sample):
    files = {name: data for name, data in sample.files.items() if name != sample.manifest}
    with pytest.raises(CorruptionError, match="log"):
        open_files(files)


def test_a_missing_log_is_found_if_another_one_follows(sample):
    *older, newest = sample.logs
    for path in older:
        files = {name: data for name, data in sample.files.items() if name != path}
        with pytest.raises(CorruptionError, match="missing"):
            open_files(files)
    # nothing tells it from a crash before it was created
    files = {name: data for name, data in sample.files.items() if name != newest}
    assert rows_of(sample, files) == sample.history[-3]


def test_the_log_of_another_collection_is_found(sample, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    other = write_collection(tmp_path)
    for path in sample.logs:
        # already at opening: its rows are fit for this one
        with pytest.raises(CorruptionError, match=path):
            recover(FrozenStorage(sample.files | {path: other[path]}))


def test_a_log_under_the_name_of_another_is_found(sample):
    first, second, _ = sample.logs
    assert_is_found(sample, sample.files | {first: sample.files[second]}, first)
