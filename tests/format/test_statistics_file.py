from __future__ import annotations

import json

import numpy as np
import pytest

from drift_arrow.errors import CorruptionError, LimitExceededError, UnsupportedFormatError
from drift_arrow.format.canonical_json import dump_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.layout import MAX_STATISTICS_BYTES
from drift_arrow.format.statistics_file import decode_statistics
from tests.format.samples import UUID_1, UUID_2, flipped, statistics


def resealed(**changes):
    """Statistics with a right digest whose JSON was changed."""
    fields = json.loads(statistics().encode()[33:]) | changes
    body = dump_json({key: value for key, value in fields.items() if value is not ...})
    return xxh3_128(body).encode() + b"\n" + body + b"\n"


def measurement(**changes):
    return json.loads(statistics().encode()[33:])["measurements"][0] | changes


def test_statistics_come_back():
    found = decode_statistics(statistics().encode(), "p")
    assert found.encode() == statistics().encode()
    assert found.measurements == statistics().measurements
    assert found.collection_uuid == UUID_1
    np.testing.assert_array_equal(found.heat[UUID_2], statistics().heat[UUID_2])
    assert found.heat[UUID_1].dtype == np.float32


def test_every_flipped_byte_and_every_truncation_is_damage():
    data = statistics().encode()
    for position in range(len(data)):
        with pytest.raises(CorruptionError):
            decode_statistics(flipped(data, position), "p")
        with pytest.raises(CorruptionError):
            decode_statistics(data[:position], "p")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "drift-manifest"},
        {"extra": 1},
        {"heat": ...},
        {"heat": []},
        {"heat": {UUID_1: "AAA="}},
        {"heat": {UUID_1: "AACAfw=="}},
        {"heat": {UUID_1: "AACAvw=="}},
        {"heat": {UUID_1: 1.0}},
        {"collection_uuid": "x"},
        {"written_ns": 5},
        {"measurements": {}},
        {"measurements": [1]},
        {"measurements": [measurement(extra=1)]},
        {"measurements": [measurement(recall=1)]},
        {"measurements": [measurement(recall=1.5)]},
        {"measurements": [measurement(low=-0.5)]},
        {"measurements": [measurement(source="guess")]},
        {"measurements": [measurement(k=0)]},
    ],
    ids=str,
)
def test_statistics_that_no_writer_makes_are_damage(changes):
    with pytest.raises(CorruptionError) as caught:
        decode_statistics(resealed(**changes), "p")
    assert (caught.value.path, caught.value.offset) == ("p", 33)


def test_a_newer_version_is_told_from_damage():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        decode_statistics(resealed(format_version=2), "p")


def test_no_file_past_the_limit_is_written_or_read():
    with pytest.raises(LimitExceededError, match="too large"):
        statistics(heat={UUID_1: np.zeros(MAX_STATISTICS_BYTES // 4, np.float32)}).encode()
    with pytest.raises(CorruptionError, match="not the size"):
        decode_statistics(bytes(MAX_STATISTICS_BYTES + 1), "p")


def test_a_digest_without_a_line_of_its_own_is_damage():
    data = statistics().encode()
    with pytest.raises(CorruptionError, match="two lines"):
        decode_statistics(data[:32] + b" " + data[33:], "p")
