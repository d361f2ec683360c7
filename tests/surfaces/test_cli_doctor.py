"""`drift-cli doctor`, and how `verify` leads to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import drift_arrow
from tests.surfaces.command_line import assert_one_line, make_collection, run, stored, succeed


@pytest.fixture
def address(tmp_path) -> str:
    address = make_collection(tmp_path)
    with drift_arrow.open_path(address, read_only=False) as docs:
        docs.flush()
    return address


def segment(address: str) -> Path:
    (path,) = (Path(address) / "segments").glob("*.drift")
    return path


def damage(address: str) -> None:
    data = bytearray(segment(address).read_bytes())
    data[len(data) // 2] ^= 1
    segment(address).write_bytes(data)


def test_a_sound_collection_is_said_to_be_sound(address):
    assert succeed("doctor", address) == f"{address} is sound, and nothing was left behind\n"
    assert json.loads(succeed("doctor", address, "--json"))["findings"] == []


def test_verify_leads_to_the_doctor(address):
    damage(address)
    assert_one_line(run("verify", address), segment(address).name, f"drift-cli doctor {address}")


def test_verify_prints_versions_tags_and_what_nothing_names(address):
    (Path(address) / "segments/x.drift").write_bytes(b"x")
    printed = succeed("verify", address)
    assert "is sound" in printed
    assert "nothing names segments/x.drift" in printed
    assert json.loads(succeed("verify", address, "--json"))["unexplained"] == ["segments/x.drift"]


def test_damage_is_explained_in_words_with_exit_code_1(address):
    damage(address)
    done = run("doctor", address)
    assert done.exit_code == 1
    for part in (
        "loss: damaged segment",
        "what",
        "rows",
        "20 damaged, with keys ",
        "remedy",
        "give up 20 rows",
    ):
        assert part in done.stdout
    assert done.stderr == ""


def test_a_repair_without_consent_gives_nothing_up(address):
    damage(address)
    (Path(address) / "segments/.tmp-1").write_bytes(b"x")
    done = run("doctor", address, "--repair")
    assert done.exit_code == 1
    assert "repaired 1 of 2" in done.stdout
    assert segment(address).exists()


def test_a_repair_with_consent_says_how_many_rows_went(address):
    damage(address)
    done = run("doctor", address, "--repair", "--accept-loss")
    assert done.exit_code == 0
    assert "given up: 20 rows" in done.stdout
    assert f"{address}/quarantine" in done.stdout
    assert stored(address).num_rows == 0
    assert "is sound" in succeed("doctor", address)


def test_programs_get_all_of_it(address):
    damage(address)
    done = run("doctor", address, "--repair", "--accept-loss", "--json")
    values = json.loads(done.stdout)
    assert done.exit_code == 0
    assert values["sound"] is True
    assert values["repaired"] is True
    assert values["findings"][0]["rows_lost"] == 20
    assert sorted(values["findings"][0]["keys"]) == list(range(20))


def test_consent_without_a_repair_is_a_wrong_call(address):
    assert_one_line(run("doctor", address, "--accept-loss"), "give both", code=2)


def test_a_place_without_a_collection_is_one_line(tmp_path):
    assert_one_line(run("doctor", tmp_path / "absent"), "no collection here")
    assert_one_line(run("doctor", tmp_path / ".."), "a collection name is")
