import json
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError, LimitExceededError, UnsupportedFormatError
from drift_arrow.format.canonical_json import dump_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.layout import MAX_MANIFEST_BYTES, MAX_SAFE_INTEGER
from drift_arrow.format.manifest import decode_manifest
from tests.format.samples import DAMAGE, UUID_1, flipped, manifest

NUMBERS = st.integers(0, MAX_SAFE_INTEGER)


def resealed(**changes):
    """A manifest with a right digest whose JSON was changed."""
    fields = json.loads(manifest().encode()[33:]) | changes
    body = dump_json({key: value for key, value in fields.items() if value is not ...})
    return xxh3_128(body).encode() + b"\n" + body + b"\n"


def segment(**changes):
    return json.loads(manifest().encode()[33:])["segments"][0] | changes


def test_a_manifest_comes_back():
    decoded = decode_manifest(manifest().encode(), "p")
    assert decoded == manifest()
    assert decoded.schema.equals(manifest().schema, check_metadata=True)


def test_a_manifest_without_segments_comes_back():
    empty = manifest(segments=(), parent_digest="", version=1)
    assert decode_manifest(empty.encode(), "p") == empty


def test_a_segment_without_tombstones_comes_back():
    whole = manifest(segments=(replace(manifest().segments[0], tombstones=None, n_live=40),))
    assert decode_manifest(whole.encode(), "p") == whole


def test_a_manifest_without_calibration_comes_back():
    fresh = manifest(calibration=None)
    assert decode_manifest(fresh.encode(), "p") == fresh


def test_equal_manifests_have_equal_bytes():
    assert decode_manifest(manifest().encode(), "p").encode() == manifest().encode()


def test_the_first_line_is_the_digest():
    assert manifest().encode()[:32].decode() == manifest().digest
    assert manifest().digest != manifest(version=8).digest


def test_every_flipped_byte_is_damage():
    data = manifest().encode()
    for position in range(len(data)):
        for mask in (None, 0xFF):
            with pytest.raises(CorruptionError) as caught:
                decode_manifest(flipped(data, position, mask), "manifests/7")
            assert caught.value.path == "manifests/7"
            assert caught.value.offset in {0, 33}


def test_every_truncation_is_damage():
    data = manifest().encode()
    for length in range(len(data)):
        with pytest.raises(CorruptionError):
            decode_manifest(data[:length], "p")


def test_bytes_after_the_end_are_damage():
    with pytest.raises(CorruptionError):
        decode_manifest(manifest().encode() + b"\n", "p")


@pytest.mark.parametrize(
    "changes",
    [
        {"n_rows": 0},
        {"n_buckets": 1.0},
        {"spread": -1.0},
        {"spread": 1},
        {"spread": True},
        {"effective_dim": 0.0},
        {"effective_dim": "8"},
        {"recalls": 0.9},
        {"recalls": [0.9]},
        {"recalls": [0.9, 0.9]},
        {"recalls": [0.0, 0.9]},
        {"recalls": [0.9, 1.0]},
        {"recalls": []},
        {"curves": []},
        {"curves": {}},
        {"curves": [{"k": 0, "shares": [0.1, 0.2], "scanned": [0.1, 0.2]}]},
        {"curves": [{"k": 1, "shares": [0.2, 0.1], "scanned": [0.1, 0.2]}]},
        {"curves": [{"k": 1, "shares": [0.1, 1.5], "scanned": [0.1, 0.2]}]},
        {"curves": [{"k": 1, "shares": [0.1], "scanned": [0.1, 0.2]}]},
        {"curves": [{"k": 1, "shares": [0.1, 0.2], "scanned": [0.1, None]}]},
        {"curves": [{"k": 1, "shares": [0.1, 0.2], "scanned": [0.1, 0.2], "extra": 1}]},
        {"curves": 2 * [{"k": 1, "shares": [0.1, 0.2], "scanned": [0.1, 0.2]}]},
        {"extra": 1},
    ],
    ids=str,
)
def test_a_calibration_that_no_writer_makes_is_damage(changes):
    whole = json.loads(manifest().encode()[33:])["calibration"]
    with pytest.raises(CorruptionError) as caught:
        decode_manifest(resealed(calibration=whole | changes), "p")
    assert (caught.value.path, caught.value.offset) == ("p", 33)


def test_a_file_past_the_limit_is_damage_before_it_is_hashed():
    with pytest.raises(CorruptionError, match="not the size"):
        decode_manifest(bytes(MAX_MANIFEST_BYTES + 1), "p")


def test_too_many_segments_ask_for_a_merge():
    many = manifest(options={"x": "y" * MAX_MANIFEST_BYTES})
    with pytest.raises(LimitExceededError, match="merge segments"):
        many.encode()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../segments/" + UUID_1 + ".drift",
        "segments/../" + UUID_1 + ".drift",
        "segments/" + UUID_1 + ".drift\n",
        "segments/" + UUID_1.upper().replace("1", "A") + ".drift",
        "segments/" + UUID_1 + "/x.drift",
        "tombstones/" + UUID_1 + ".drift",
        "",
        1,
        None,
    ],
)
def test_a_path_that_no_writer_writes_is_damage(path):
    with pytest.raises(CorruptionError) as caught:
        decode_manifest(resealed(segments=[segment(path=path)]), "p")
    assert caught.value.offset == 33


@pytest.mark.parametrize(
    "path", ["tombstones/x.bits", "segments/" + UUID_1 + ".bits", "tombstones/../" + UUID_1 + ".bits"]
)
def test_a_tombstone_path_that_no_writer_writes_is_damage(path):
    broken = {"path": path, "size_bytes": 1, "digest": "0" * 32}
    with pytest.raises(CorruptionError):
        decode_manifest(resealed(segments=[segment(tombstones=broken)]), "p")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": ...},
        {"calibration": ...},
        {"calibration": []},
        {"version": -1},
        {"version": "7"},
        {"version": True},
        {"extra": 1},
        {"kind": "other"},
        {"parent_digest": "xyz"},
        {"txn": "short"},
        {"txn": "G" * 32},
        {"created_ns": 5},
        {"collection_uuid": "no"},
        {"schema": "no base64!"},
        {"schema": "AAAA"},
        {"vector": "absent"},
        {"vector": "id"},
        {"key": "absent"},
        {"metric": "hamming"},
        {"options": []},
        {"options": {"nested": {}}},
        {"key_seed": "-1"},
        {"key_seed": str(2**64)},
        {"segments": {}},
        {"segments": [1]},
        {"segments": [segment(), segment()]},
        {"segments": [segment(n_live=41)]},
        {"segments": [segment(n_rows=0, n_live=0)]},
        {"segments": [segment(size_bytes=0)]},
        {"segments": [segment(digest="0")]},
        {"segments": [segment(seqno_range=[9, 3])]},
        {"segments": [segment(extra=1)]},
        {"segments": [segment(tombstones=segment()["tombstones"] | {"extra": 1})]},
        {"last_seqno": 1.5},
        {"wal_floor": 2**53},
    ],
    ids=str,
)
def test_a_right_digest_does_not_excuse_a_wrong_value(changes):
    with pytest.raises(CorruptionError) as caught:
        decode_manifest(resealed(**changes), "p")
    assert (caught.value.path, caught.value.offset) == ("p", 33)


def test_a_newer_version_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        decode_manifest(resealed(format_version=2), "p")


@pytest.mark.parametrize("data", [b"", b"\n", bytes(33), b"\xff" * 50, b"0" * 32 + b"\n{}\n"])
def test_other_bytes_are_damage(data):
    with pytest.raises(DAMAGE):
        decode_manifest(data, "p")


@given(
    NUMBERS,
    NUMBERS,
    NUMBERS,
    st.integers(0, 2**64 - 1),
    st.text(min_size=1, max_size=9),
    st.sampled_from(["l2", "dot"]),
)
def test_any_values_come_back(version, wal_floor, last_seqno, key_seed, name, metric):
    schema = pa.schema([pa.field(name, pa.int64()), pa.field(name + "v", pa.list_(pa.float32(), 2))])
    original = manifest(
        version=version, wal_floor=wal_floor, last_seqno=last_seqno, key_seed=key_seed, metric=metric,
        schema=schema, key=name, vector=name + "v",
    )  # fmt: skip
    assert decode_manifest(original.encode(), "p") == original
