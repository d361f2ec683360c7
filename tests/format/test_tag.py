"""The file of a tag: what is written comes back, and everything else is refused."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.canonical_json import dump_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.layout import MAX_TAG_BYTES
from drift_arrow.format.tag import Tag, decode_tag
from tests.format.samples import UUID_1

TAG = Tag(name="release-1.0", version=7, manifest_digest="0f" * 16, created_ns=2**60 + 1, collection_uuid=UUID(UUID_1))


def sealed(body: bytes) -> bytes:
    return xxh3_128(body).encode() + b"\n" + body + b"\n"


def changed(**changes: object) -> bytes:
    fields = json.loads(TAG.encode()[33:]) | changes
    return sealed(dump_json({name: value for name, value in fields.items() if value is not ...}))


def test_what_is_written_comes_back():
    assert decode_tag(TAG.encode(), "p") == TAG
    assert len(TAG.encode()) < MAX_TAG_BYTES


def test_a_flip_anywhere_is_found():
    data = TAG.encode()
    for position in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[position] ^= 1 << bit
            with pytest.raises(CorruptionError, match="path='p'"):
                decode_tag(bytes(damaged), "p")


def test_a_file_of_another_length_is_found():
    data = TAG.encode()
    for length in range(len(data)):
        with pytest.raises(CorruptionError):
            decode_tag(data[:length], "p")
    for extra in (b"\n", b"\0", bytes(MAX_TAG_BYTES)):
        with pytest.raises(CorruptionError):
            decode_tag(data + extra, "p")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "drift-manifest"},
        {"name": "../manifests/x"},
        {"name": "Upper"},
        {"name": ""},
        {"name": "x" * 64},
        {"version": 0},
        {"version": -1},
        {"version": "7"},
        {"version": True},
        {"manifest_digest": ""},
        {"manifest_digest": "0F" * 16},
        {"created_ns": 5},
        {"created_ns": str(2**64)},
        {"collection_uuid": "x"},
        {"more": 1},
        {"name": ...},
        {"format_version": 0},
    ],
    ids=str,
)
def test_what_no_writer_says_is_refused(changes):
    with pytest.raises(CorruptionError, match="metadata"):
        decode_tag(changed(**changes), "p")


def test_a_tag_of_a_newer_format_is_told_from_a_damaged_one():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        decode_tag(changed(format_version=2), "p")


def test_json_in_another_spelling_is_refused():
    body = json.dumps(json.loads(TAG.encode()[33:])).encode()
    with pytest.raises(CorruptionError, match="canonical"):
        decode_tag(sealed(body), "p")
