"""A writing process is killed at random moments, again and again on one directory: no promise may break."""

from __future__ import annotations

import contextlib

import pytest

from tests.faults.killer import Killer, make_collection, survive


@pytest.fixture
def path(root):
    return make_collection(root)


@pytest.fixture
def killer(path):
    with contextlib.closing(Killer(path)) as killer:
        yield killer


def test_fifty_kills_lose_no_acknowledged_row_and_tear_no_batch(killer, path):
    # the writers did write, or this test shows nothing
    assert survive(killer, path, range(50)) > 500


@pytest.mark.slow
def test_a_thousand_kills_lose_no_acknowledged_row_and_tear_no_batch(killer, path):
    assert survive(killer, path, range(1000)) > 10_000
