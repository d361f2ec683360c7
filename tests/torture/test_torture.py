"""Short runs of the campaigns that no other test runs, and what the command says."""

from __future__ import annotations

import argparse
import contextlib
import shutil
from collections import Counter

import pytest

from tests.torture import __main__ as command
from tests.torture import stress
from tests.torture.campaign import Attempt, Campaign
from tests.torture.campaigns import CAMPAIGNS
from tests.torture.crew import attempts
from tests.torture.mutations import MUTATIONS
from tests.torture.syscalls import Victim, what_is_wrong


def test_a_campaign_goes_on_until_each_of_its_parts_was_tried_often_enough():
    tried: Counter[str] = Counter()
    for _, outcome in attempts(CAMPAIGNS["power-loss"], goal=1, seconds=60, seed=3, processes=1):
        tried += outcome.tried
        assert outcome.violations == []
    assert set(tried) == set(CAMPAIGNS["power-loss"].parts)


def test_a_broken_promise_ends_a_campaign_and_names_its_seed(monkeypatch, capsys):
    campaign = Campaign(name="bad", what="", unit="tries", goal=10, attempt=lambda seed, scratch: Attempt())
    outcomes = [(7, Attempt(Counter({"": 3}))), (8, Attempt(Counter({"": 2}), ["a row is gone"])), (9, Attempt())]
    monkeypatch.setattr(command, "attempts", lambda *_: iter(outcomes))
    arguments = argparse.Namespace(goal=None, seconds=1.0, seed=7, processes=1)
    assert not command.run(campaign, arguments)
    printed = capsys.readouterr()
    assert "bad: 5 tries" in printed.out
    assert "1 violations" in printed.out
    assert "seed 8: a row is gone" in printed.err


def test_threads_that_switch_all_the_time_read_what_they_wrote_and_snapshots_that_stay(tmp_path):
    assert stress.run(1, tmp_path, seconds=3).violations == []


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_a_process_that_dies_at_a_system_call_loses_nothing(tmp_path):
    with contextlib.closing(Victim(tmp_path)) as victim:
        for call, number in [("fdatasync", 1), ("fdatasync", 5), ("writev", 9), ("unlink", 1)]:
            root, acknowledged, is_over = victim.die_at(call, number)
            assert not is_over
            assert what_is_wrong(root, acknowledged) is None


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_still_applies_to_the_source(mutation):
    compile(mutation.applied(), mutation.path, "exec")
