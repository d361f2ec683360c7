"""A short run of every fuzz target, and proofs that the harness would see what it looks for."""

from __future__ import annotations

import re
import subprocess
import sys
from random import Random

import pytest

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from tests.fuzz.__main__ import ROOT, worker_command
from tests.fuzz.bytes_mutator import mutate_bytes
from tests.fuzz.loops import mutated
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

# Guard a parser that misbehaves, in a process of its own.
MISBEHAVE = """
import sys
from pathlib import Path
from tests.fuzz.guard import Guard, Journal
from tests.fuzz import guard as limits
from tests.fuzz.target import Target
limits.CPU_SECONDS = 1
target = Target(name="bad", seeds=list, mutate=None, parse=lambda data: {})
with Guard(target, Journal(Path(sys.argv[1]))) as guard:
    guard.run(b"x" * 1000)
"""


def misbehave(tmp_path, code):
    program = [sys.executable, "-c", MISBEHAVE.format(code), str(tmp_path / "journal")]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_target_keeps_its_contract_on_some_damaged_inputs(tmp_path):
    command = worker_command(*TARGETS, "--journal", str(tmp_path / "journal"), "--runs", "500")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_inputs_get_past_the_checksums(target):
    random = Random(2)
    seeds = target.seeds()
    outcomes = [refusal(target, mutated(target, random.choice(seeds), random)) for _ in range(200)]
    assert sum(outcome is None for outcome in outcomes) >= 10
    assert sum(outcome is not None for outcome in outcomes) >= 10
    assert sum(bool(re.search("checksum|digest", outcome or "")) for outcome in outcomes) < 50


def refusal(target, data):
    try:
        target.parse(data)
    except (CorruptionError, UnsupportedFormatError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_mutators_take_any_bytes_and_repeat_themselves(target):
    random, mutate = Random(3), target.mutate
    for length in [0, 1, 2, 8, 63, 64, 65, 200, 5000]:
        data = random.randbytes(length)
        assert mutate(data, Random(length)) == mutate(data, Random(length))


def test_an_allocation_beyond_the_bound_is_seen(tmp_path):
    assert misbehave(tmp_path, "bytearray(60 << 20)").returncode == 0
    done = misbehave(tmp_path, "bytearray(70 << 20)")
    assert done.returncode == 1
    assert "MemoryError" in done.stderr


def test_an_allocation_that_a_parser_takes_for_damage_is_seen():
    def parse(_):
        raise CorruptionError("damage", path="", offset=0) from MemoryError()

    with pytest.raises(MemoryError):
        Target(name="bad", seeds=list, mutate=mutate_bytes, parse=parse).accepts(b"")


def test_a_hang_in_compiled_code_is_seen(tmp_path):
    done = misbehave(tmp_path, "pow(3, 1 << 30)")
    assert done.returncode < 0
    assert "most recent call first" in done.stderr
