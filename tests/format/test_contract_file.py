from __future__ import annotations

import json

import numpy as np
import pytest

from drift_arrow.errors import CorruptionError, LimitExceededError, UnsupportedFormatError
from drift_arrow.format.canonical_json import dump_json
from drift_arrow.format.checksum import xxh3_128
from drift_arrow.format.contract_file import decode_contract
from drift_arrow.format.layout import MAX_CONTRACT_BYTES
from tests.format.samples import contract, flipped


def resealed(**changes):
    """A contract with a right digest whose JSON was changed."""
    fields = json.loads(contract().encode()[33:]) | changes
    body = dump_json({key: value for key, value in fields.items() if value is not ...})
    return xxh3_128(body).encode() + b"\n" + body + b"\n"


def test_a_contract_comes_back():
    found = decode_contract(contract().encode(), "p")
    assert found.encode() == contract().encode()
    assert (found.model, found.canary_keys) == ("encoder é", ("7", "8"))
    np.testing.assert_array_equal(found.canary_vectors, contract().canary_vectors)


def test_a_contract_without_canaries_comes_back():
    bare = contract(canary_keys=(), canary_vectors=np.empty((0, 3), np.float32))
    assert decode_contract(bare.encode(), "p").canary_vectors.shape == (0, 3)


def test_every_flipped_byte_and_every_truncation_is_damage():
    data = contract().encode()
    for position in range(len(data)):
        with pytest.raises(CorruptionError):
            decode_contract(flipped(data, position), "p")
        with pytest.raises(CorruptionError):
            decode_contract(data[:position], "p")


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "drift-manifest"},
        {"extra": 1},
        {"model": ...},
        {"model": 1},
        {"norm_mean": 1},
        {"norm_mean": -1.0},
        {"dim": 0},
        {"dim": 4},
        {"canary_keys": {}},
        {"canary_keys": [7, 8]},
        {"canary_keys": ["7", "7"]},
        {"canary_keys": ["7"]},
        {"canary_vectors": "AAAA"},
        {"canary_vectors": "AACAfw==" * 6},
        {"dim": 1, "canary_keys": ["7"], "canary_vectors": "AACAfw=="},
        {"collection_uuid": "x"},
    ],
    ids=str,
)
def test_contracts_that_no_writer_makes_are_damage(changes):
    with pytest.raises(CorruptionError) as caught:
        decode_contract(resealed(**changes), "p")
    assert (caught.value.path, caught.value.offset) == ("p", 33)


def test_a_newer_version_is_told_from_damage():
    with pytest.raises(UnsupportedFormatError, match="upgrade"):
        decode_contract(resealed(format_version=2), "p")


def test_no_file_past_the_limit_is_written_or_read():
    with pytest.raises(LimitExceededError, match="fewer canaries"):
        contract(canary_keys=("7",), canary_vectors=np.zeros((1, MAX_CONTRACT_BYTES // 4), np.float32)).encode()
    with pytest.raises(CorruptionError, match="not the size"):
        decode_contract(bytes(MAX_CONTRACT_BYTES + 1), "p")


def test_a_digest_without_a_line_of_its_own_is_damage():
    data = contract().encode()
    with pytest.raises(CorruptionError, match="two lines"):
        decode_contract(data[:32] + b" " + data[33:], "p")
