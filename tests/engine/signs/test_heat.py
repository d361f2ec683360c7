"""Heat counts recent queries, and outlives the process that saw them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import drift_arrow as drift
from drift_arrow.engine.signs import observations
from drift_arrow.engine.signs.heat import HEAT_HALF_LIFE_S, Heat
from drift_arrow.engine.signs.observations import STATISTICS_DIRECTORY
from drift_arrow.errors import NotFoundError, StorageError
from tests.tables import create, make_table, matrix_of


class Clock:
    def __init__(self, now_s=1_000.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


@pytest.fixture
def docs(db):
    docs = create(db, options=drift.Options(merge_bytes=0))
    docs.add(make_table(2_000))
    docs.flush()
    return docs


def search(docs, n_queries, probes=2):
    docs.search(matrix_of(make_table(n_queries, start=10**6))).limit(1).nprobe(probes).to_arrow()


def heat_of(docs):
    snapshot = docs.pin()
    return snapshot.observations.heat.of(snapshot.segment_set)


def test_a_query_counts_half_after_each_half_life(docs):
    clock = Clock()
    heat = Heat(clock=clock)
    assert not heat.of(docs.pin().segment_set).any()
    search(docs, 10)
    assert heat.of(docs.pin().segment_set).sum() == 20
    clock.now_s += HEAT_HALF_LIFE_S
    assert heat.of(docs.pin().segment_set).sum() == pytest.approx(10)
    clock.now_s += HEAT_HALF_LIFE_S
    search(docs, 3)
    assert heat.of(docs.pin().segment_set).sum() == pytest.approx(5 + 6)


def test_a_clock_that_goes_back_changes_nothing(docs):
    clock = Clock()
    heat = Heat(clock=clock)
    search(docs, 10)
    before = heat.of(docs.pin().segment_set)
    clock.now_s -= 10**6
    np.testing.assert_array_equal(heat.of(docs.pin().segment_set), before)


def test_heat_of_a_segment_outlives_a_flush_of_others(docs):
    search(docs, 10)
    before = heat_of(docs)
    docs.add(make_table(100, start=5_000))
    docs.flush()
    after = heat_of(docs)
    assert len(after) > len(before)
    np.testing.assert_allclose(after[: len(before)], before, rtol=0.2)
    assert not after[len(before) :].any()


def statistics_files(root):
    return sorted((root / "docs" / STATISTICS_DIRECTORY).glob("*"))


def test_heat_survives_a_close_and_one_file_is_left(root):
    for _ in range(3):
        with drift.connect(root) as db:
            docs = db.collection("docs") if "docs" in db.list_collections() else create(db)
            if not len(docs):
                docs.add(make_table(2_000))
                docs.flush()
            before = heat_of(docs)
            search(docs, 10)
            expected = heat_of(docs)
            assert expected.sum() == pytest.approx(before.sum() + 20, rel=0.2)
        with drift.connect(root) as db:
            np.testing.assert_allclose(heat_of(db.collection("docs")), expected, rtol=0.2)
        assert len(statistics_files(root)) == 1


def test_nothing_is_written_where_nothing_was_observed(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(2_000))
        docs.flush()
    assert statistics_files(root) == []


@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "other"])
def test_a_damaged_file_means_no_heat_and_no_error(root, damage):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(2_000))
        docs.flush()
        search(docs, 10)
    (path,) = statistics_files(root)
    data = path.read_bytes()
    changed = {
        "flip": data[:100] + bytes([data[100] ^ 1]) + data[101:],
        "cut": data[:-9],
        "empty": b"",
        "other": bytes(9 << 20),
    }
    path.chmod(0o600)
    path.write_bytes(changed[damage])
    with drift.connect(root) as db:
        docs = db.collection("docs")
        assert not heat_of(docs).any()
        search(docs, 1)
        assert heat_of(docs).sum() == 2
    with drift.connect(root) as db:
        assert heat_of(db.collection("docs")).sum() == pytest.approx(2, rel=0.2)


def test_a_reader_beside_the_writer_sees_kept_heat_and_writes_none(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(2_000))
        docs.flush()
        search(docs, 10)
    with drift.connect(root) as db, db.collection("docs", read_only=True) as docs:
        assert heat_of(docs).sum() == pytest.approx(20, rel=0.2)
        search(docs, 10)
        kept = statistics_files(root)
    assert statistics_files(root) == kept


@pytest.mark.parametrize("error", [StorageError("the disk is full"), NotFoundError("no such file")], ids=repr)
def test_a_storage_that_refuses_advice_fails_nothing_and_is_asked_again(root, monkeypatch, error):
    def refuse(*arguments):
        raise error

    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(2_000))
        docs.flush()
        search(docs, 10)
        with monkeypatch.context() as patch:
            patch.setattr(observations, "create_file", refuse)
            docs.add(make_table(10, start=5_000))
            docs.flush()
        assert statistics_files(root) == []
        kept = heat_of(docs)
    with drift.connect(root) as db:
        np.testing.assert_allclose(heat_of(db.collection("docs")), kept, rtol=0.2)


KILLED = """
import os, sys, drift_arrow as drift
from tests.engine.signs.test_heat import search
from tests.tables import create, make_table
docs = create(drift.connect(sys.argv[1]), options=drift.Options(merge_bytes=0))
docs.add(make_table(2_000))
docs.flush()
search(docs, 10)
docs.add(make_table(10, start=5_000))
docs.flush()
print("flushed", flush=True)
os.read(0, 1)
"""


def test_heat_survives_a_kill_after_a_flush(root):
    repository = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": f"{repository}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=repository,
        env=environment,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"flushed\n"
        writer.send_signal(signal.SIGKILL)
    with drift.connect(root) as db:
        assert heat_of(db.collection("docs")).sum() == pytest.approx(20, rel=0.2)
