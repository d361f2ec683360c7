"""A doctor names what is wrong, and repairs it without making data up; every patient is a real, damaged collection."""

from __future__ import annotations

from pathlib import Path

import pytest

import drift_arrow as drift
from drift_arrow.engine import registry
from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.doctor import Diagnosis, diagnose
from drift_arrow.engine.doctor_finding import Finding, Gravity, Kind
from drift_arrow.engine.doctor_repair import repair
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.errors import CorruptionError, DriftError, InvalidArgumentError, LockedError, NotFoundError
from drift_arrow.format.layout import RECORD_MAGIC, BlockType
from drift_arrow.format.segment_reader import SegmentReader
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table

KEEP = drift.Options(retained_versions=2, merge_bytes=0)


@pytest.fixture
def patient(root, monkeypatch) -> Path:
    """Closed: version 2 with rows 0 to 49, version 3 without 1 to 3 and with 100 to 109, and 3 log files of 3 rows."""
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    with drift.connect(root) as db:
        docs = create(db, options=KEEP)
        docs.add(make_table(50))
        docs.flush()
        docs.delete(keys=[1, 2, 3])
        docs.add(make_table(10, start=100))
        docs.flush()
        for number in range(3):
            docs.add(make_table(3, start=200 + 10 * number))
            if number < 2:
                docs._core.freeze()
    return root / "docs"


FLUSHED = [0, *range(4, 50), *range(100, 110)]
LOGGED = [200 + 10 * number + row for number in range(3) for row in range(3)]


def examine(path: Path) -> Diagnosis:
    return diagnose(LocalStorage(path), LocalStorage(path.parent))


def heal(path: Path, *, accept_loss: bool = False) -> Diagnosis:
    return repair(LocalStorage(path), LocalStorage(path.parent), accept_loss=accept_loss)


def only(found: Diagnosis, kind: Kind) -> Finding:
    (finding,) = [finding for finding in found.findings if finding.kind is kind]
    return finding


def keys(path: Path) -> list[int]:
    with drift.connect(path.parent) as db:
        docs = db.collection("docs")
        assert docs.verify().unexplained == ()
        return sorted(docs.scan().collect()["id"])


def files(path: Path) -> dict[str, bytes]:
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and file.name != "LOCK"
    }


def flip(file: Path, place: int) -> None:
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)


def segments(path: Path) -> list[Path]:
    """Of version 3: that of 50 rows, and that of 10."""
    return [path / entry.path for entry in read_manifest(LocalStorage(path), 3).segments]


def assert_untouched_without_consent(path: Path) -> None:
    before = files(path)
    assert not heal(path).is_sound
    assert files(path) == before
    with drift.connect(path.parent) as db, pytest.raises(DriftError):
        db.collection("docs")


def test_a_sound_collection_has_no_findings(patient):
    found = examine(patient)
    assert found.findings == []
    assert found.is_sound
    before = files(patient)
    heal(patient, accept_loss=True)
    assert files(patient) == before
    assert keys(patient) == FLUSHED + LOGGED


def test_nothing_at_all_is_no_patient(root):
    with pytest.raises(NotFoundError, match="nothing of one"):
        examine(root / "docs")


def test_a_damaged_column_costs_the_rows_of_its_blocks_and_names_their_keys(patient):
    file = segments(patient)[1]
    reader = SegmentReader(file.read_bytes(), "p")
    block = next(block for block in reader.blocks() if block.column == "price")
    flip(file, block.offset + 64)
    finding = only(examine(patient), Kind.DAMAGED_SEGMENT)
    assert (finding.gravity, finding.path) == (Gravity.LOSS, f"segments/{file.name}")
    assert "column 'price'" in finding.what
    assert (finding.rows_damaged, finding.rows_lost) == (10, 10)
    assert sorted(finding.keys) == list(range(100, 110))
    assert "10 rows" in finding.remedy
    assert_untouched_without_consent(patient)


def test_a_damaged_table_costs_all_rows_but_those_that_were_deleted(patient):
    file = segments(patient)[0]
    reader = SegmentReader(file.read_bytes(), "p")
    block = next(block for block in reader.blocks() if block.type is BlockType.FINGERPRINTS)
    flip(file, block.offset + 64)
    finding = only(examine(patient), Kind.DAMAGED_SEGMENT)
    assert "fingerprints" in finding.what
    assert (finding.rows_damaged, finding.rows_lost) == (47, 47)
    assert sorted(finding.keys) == [0, *range(4, 50)]


def test_a_segment_without_its_end_cannot_be_read_at_all(patient):
    file = segments(patient)[1]
    file.write_bytes(file.read_bytes()[:-4096])
    finding = only(examine(patient), Kind.DAMAGED_SEGMENT)
    assert "cannot be read at all" in finding.what
    assert finding.rows_damaged == 10
    assert finding.keys == ()


def test_a_damaged_segment_is_given_up_with_consent_and_kept_in_the_quarantine(patient):
    file = segments(patient)[1]
    flip(file, file.stat().st_size // 2)
    damaged = file.read_bytes()
    heal(patient, accept_loss=True)
    assert examine(patient).findings == []
    assert (patient / f"quarantine/segments-{file.name}").read_bytes() == damaged
    assert not file.exists()
    assert keys(patient) == [0, *range(4, 50), *LOGGED]


def test_a_missing_segment_is_given_up_with_consent(patient):
    segments(patient)[1].unlink()
    finding = only(examine(patient), Kind.DAMAGED_SEGMENT)
    assert (finding.what, finding.rows_lost) == ("the segment is missing", 10)
    assert_untouched_without_consent(patient)
    heal(patient, accept_loss=True)
    assert examine(patient).is_sound
    assert keys(patient) == [0, *range(4, 50), *LOGGED]


def test_rows_whose_tombstones_are_damaged_are_given_up_and_never_brought_back(patient):
    (tombstones,) = (patient / "tombstones").iterdir()
    flip(tombstones, 100)
    finding = only(examine(patient), Kind.DAMAGED_SEGMENT)
    assert finding.path == f"tombstones/{tombstones.name}"
    assert "deleted is not known" in finding.what
    assert finding.rows_lost == 47
    assert_untouched_without_consent(patient)
    heal(patient, accept_loss=True)
    assert keys(patient) == [*range(100, 110), *LOGGED]
    # version 2 has the same segment and needs no tombstones
    assert not (patient / "quarantine").joinpath(f"segments-{segments_of(patient, 2)[0]}").exists()


def segments_of(path: Path, version: int) -> list[str]:
    try:
        return [entry.path.rpartition("/")[2] for entry in read_manifest(LocalStorage(path), version).segments]
    except NotFoundError:
        return [""]


def test_a_segment_that_an_older_version_shares_takes_that_version_along(patient):
    flip(segments(patient)[0], 5000)
    found = examine(patient)
    assert only(found, Kind.DAMAGED_OLDER_VERSION).path == manifest_path(2)
    heal(patient, accept_loss=True)
    assert examine(patient).findings == []
    assert list_versions(LocalStorage(patient)) == [4]
    assert keys(patient) == [*range(100, 110), *LOGGED]


def test_a_damaged_older_version_costs_no_row(patient):
    flip(patient / manifest_path(2), 50)
    finding = only(examine(patient), Kind.DAMAGED_OLDER_VERSION)
    assert (finding.gravity, finding.rows_lost) == (Gravity.LOSS, 0)
    heal(patient)
    assert (patient / manifest_path(2)).exists()
    heal(patient, accept_loss=True)
    assert examine(patient).findings == []
    assert keys(patient) == FLUSHED + LOGGED


def test_a_damaged_newest_manifest_is_never_passed_over_without_consent(patient):
    flip(patient / manifest_path(3), 50)
    finding = only(examine(patient), Kind.DAMAGED_NEWEST_MANIFEST)
    assert finding.rows_lost is None
    assert_untouched_without_consent(patient)


def test_with_consent_the_version_before_a_damaged_manifest_goes_on_with_what_the_log_has(patient):
    new = segments(patient)[1]
    flip(patient / manifest_path(3), 50)
    heal(patient, accept_loss=True)
    assert examine(patient).is_sound
    # the ten rows of version 3 are gone, its deletions undone, and its segment is kept
    assert keys(patient) == [*range(50), *LOGGED]
    assert (patient / f"quarantine/segments-{new.name}").exists()
    assert (patient / "quarantine" / manifest_path(3).replace("/", "-")).exists()


def test_no_manifest_at_all_is_beyond_repair(patient):
    for file in (patient / "manifests").iterdir():
        file.unlink()
    before = files(patient)
    found = heal(patient, accept_loss=True)
    finding = only(found, Kind.NO_MANIFEST)
    assert finding.gravity is Gravity.FATAL
    assert "backup" in finding.remedy
    assert not found.is_sound
    assert files(patient) == before


def test_manifests_that_are_all_damaged_are_beyond_repair(patient):
    for version in (2, 3):
        flip(patient / manifest_path(version), 50)
    before = files(patient)
    found = heal(patient, accept_loss=True)
    assert found.has(Gravity.FATAL)
    assert files(patient) == before


def test_a_torn_end_of_the_log_is_no_damage(patient):
    log = max((patient / "wal").iterdir())
    data = log.read_bytes()
    log.write_bytes(data[: data.rindex(RECORD_MAGIC, 0, data.rindex(RECORD_MAGIC, 0, data.rindex(RECORD_MAGIC))) + 50])
    found = examine(patient)
    finding = only(found, Kind.TORN_TAIL)
    assert finding.gravity is Gravity.NOTE
    assert found.is_sound
    heal(patient)
    assert keys(patient) == FLUSHED + LOGGED[:6]


def test_a_log_that_is_damaged_in_its_middle_is_replayed_up_to_the_damage(patient):
    _, second, third = sorted((patient / "wal").iterdir())
    with drift.connect(patient.parent) as db:
        db.collection("docs", read_only=True)
    flip(second, second.read_bytes().index(RECORD_MAGIC, 64) + 60)
    finding = only(examine(patient), Kind.DAMAGED_LOG)
    assert finding.path == f"wal/{second.name}"
    assert "1 operations with 3 rows" in finding.what
    assert_untouched_without_consent(patient)
    heal(patient, accept_loss=True)
    assert examine(patient).is_sound
    assert {f"wal-{second.name}", f"wal-{third.name}"} <= {file.name for file in (patient / "quarantine").iterdir()}
    assert keys(patient) == FLUSHED + LOGGED[:3]


def test_the_records_before_the_damage_in_a_log_are_kept(root, monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    with drift.connect(root) as db:
        docs = create(db)
        for start in (0, 10, 20):
            docs.add(make_table(3, start=start))
    log = max((root / "docs/wal").iterdir())
    data = log.read_bytes()
    # two of the three operations, and the marks behind them
    places = [place for place in range(64, len(data), 8) if data[place : place + 4] == RECORD_MAGIC]
    flip(log, places[2] + 60)
    finding = only(examine(root / "docs"), Kind.DAMAGED_LOG)
    assert f"up to byte {places[2]:,}" in finding.what
    heal(root / "docs", accept_loss=True)
    assert keys(root / "docs") == [0, 1, 2]


def test_a_log_that_is_missing_altogether_is_begun_anew_with_consent(patient):
    for log in (patient / "wal").iterdir():
        log.unlink()
    assert "missing" in only(examine(patient), Kind.DAMAGED_LOG).what
    assert_untouched_without_consent(patient)
    heal(patient, accept_loss=True)
    assert examine(patient).is_sound
    assert keys(patient) == FLUSHED


def test_a_gap_in_the_log_ends_it(patient):
    sorted((patient / "wal").iterdir())[1].unlink()
    assert "before it is missing" in only(examine(patient), Kind.DAMAGED_LOG).what
    heal(patient, accept_loss=True)
    assert keys(patient) == FLUSHED + LOGGED[:3]


def test_a_damaged_or_dangling_tag_is_found_and_goes_with_consent(patient):
    with drift.connect(patient.parent) as db:
        docs = db.collection("docs")
        docs.tag("second", 2)
        docs.tag("third", 3)
    flip(patient / "tags/second.json", 60)
    finding = only(examine(patient), Kind.DAMAGED_TAG)
    assert "no garbage is collected" in finding.what
    heal(patient, accept_loss=True)
    assert examine(patient).findings == []
    assert [file.name for file in (patient / "tags").iterdir()] == ["third.json"]
    assert keys(patient) == FLUSHED + LOGGED


def test_what_crashes_left_is_removed_by_a_repair(patient):
    (patient / "segments/.tmp-1").write_bytes(b"half")
    (patient / "segments/00000000-0000-0000-0000-000000000000.drift").write_bytes(b"unnamed")
    (patient / "wal/0000000001-0000000001.wal").write_bytes(b"old")
    dropped = patient.parent / ".tmp-dropped"
    (dropped / "segments").mkdir(parents=True)
    found = examine(patient)
    assert found.is_sound
    assert sorted(finding.kind.name for finding in found.findings) == [
        "DROPPED_COLLECTION",
        "UNFINISHED_FILE",
        "UNNAMED_FILE",
        "UNNAMED_FILE",
    ]
    assert {finding.gravity for finding in found.findings} == {Gravity.LEFTOVER}
    assert dropped.exists()
    heal(patient)
    assert examine(patient).findings == []
    assert not dropped.exists()
    assert keys(patient) == FLUSHED + LOGGED


def test_files_of_others_are_named_and_left_alone(patient):
    (patient / "manifests/notes.txt").write_text("mine")
    (patient / "wal/notes.txt").write_text("mine")
    found = examine(patient)
    assert [finding.kind for finding in found.findings] == [Kind.UNKNOWN_FILE] * 2
    heal(patient)
    assert (patient / "manifests/notes.txt").exists()
    assert (patient / "wal/notes.txt").exists()


def test_a_manifest_of_a_newer_release_is_no_damage(patient):
    from drift_arrow.format.checksum import xxh3_128

    data = (patient / manifest_path(3)).read_bytes()
    body = data[33:-1].replace(b'"format_version":1', b'"format_version":2')
    (patient / manifest_path(3)).write_bytes(xxh3_128(body).encode() + b"\n" + body + b"\n")
    before = files(patient)
    finding = only(heal(patient, accept_loss=True), Kind.NEWER_RELEASE)
    assert "upgrade" in finding.remedy
    assert files(patient) == before


def test_a_repair_needs_the_collection_for_itself(patient):
    with drift.connect(patient.parent) as db:
        db.collection("docs")
        assert examine(patient).is_sound
        with pytest.raises(InvalidArgumentError, match="close it first"):
            heal(patient)
    lock = LocalStorage(patient).lock()
    with pytest.raises(LockedError):
        heal(patient)
    lock.release()
    heal(patient)


def test_a_finding_is_plain_values_for_programs(patient):
    segments(patient)[1].unlink()
    values = only(examine(patient), Kind.DAMAGED_SEGMENT).to_dict()
    assert values["kind"] == "damaged segment"
    assert values["gravity"] == "loss"
    assert values["rows_lost"] == 10


def test_every_flip_of_a_small_file_is_explained_and_repaired_or_was_no_damage(patient):
    """Whatever byte is hit, the doctor ends with a collection that opens, and no row that was not there."""
    whole = files(patient)
    log = sorted(name for name in whole if name.startswith("wal"))[1]
    possible = set(FLUSHED + LOGGED) | {1, 2, 3}
    for name in (log, manifest_path(3), manifest_path(2)):
        for place in range(0, len(whole[name]), 97):
            restore(patient, whole)
            flip(patient / name, place)
            found = heal(patient, accept_loss=True)
            assert examine(patient).is_sound, (name, place)
            assert set(keys(patient)) <= possible
            assert found.is_sound or (patient / "quarantine").exists()


def restore(path: Path, whole: dict[str, bytes]) -> None:
    for name in files(path):
        (path / name).unlink()
    for name, data in whole.items():
        (path / name).write_bytes(data)


def test_damage_is_no_other_error_for_those_who_open(patient):
    flip(segments(patient)[0], 5000)
    with drift.connect(patient.parent) as db, pytest.raises(CorruptionError, match=r"segments/"):
        db.collection("docs")
