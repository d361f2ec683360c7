"""The system may write less than it was given, at any byte, and then go on, or refuse: for instance on a full disk."""

from __future__ import annotations

import errno
import os
import random

import pytest

import drift_arrow as drift
from drift_arrow.errors import PoisonedError, StorageError
from tests.tables import create, make_table

REAL_WRITEV = os.writev


def test_what_a_short_write_left_is_written_by_the_next_one(root, monkeypatch):
    rng, n_short = random.Random(1), 0

    def write_some(descriptor, views):
        nonlocal n_short
        data = b"".join(views)
        some = data[: rng.randint(1, len(data))]
        n_short += len(some) < len(data)
        return REAL_WRITEV(descriptor, [some])

    monkeypatch.setattr(os, "writev", write_some)
    table = make_table(300)
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(table.slice(0, 200))
        docs.flush()
        docs.add(table.slice(200))
    assert n_short > 10
    with drift.connect(root) as db:
        docs = db.collection("docs")
        docs.verify()
        assert keys_of(docs) == table["id"].to_pylist()


def test_a_disk_that_fills_up_within_a_batch_tears_nothing_and_costs_nothing_acknowledged(root, monkeypatch):
    table = make_table(40)
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(table.slice(0, 20))

        def fill_up(descriptor, views):
            data = b"".join(views)
            REAL_WRITEV(descriptor, [data[: len(data) // 2]])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as full:
            full.setattr(os, "writev", fill_up)
            with pytest.raises(StorageError, match="No space left"):
                docs.add(table.slice(20))
        # there is room again, but what the file ends in is unknown
        with pytest.raises(PoisonedError, match="reopen"):
            docs.add(table.slice(20))
    with drift.connect(root) as db:
        docs = db.collection("docs")
        docs.verify()
        assert keys_of(docs) == table["id"].to_pylist()[:20]
        docs.add(table.slice(20))
        assert keys_of(docs) == table["id"].to_pylist()


def keys_of(docs: drift.Collection) -> list[int]:
    return sorted(docs.scan().select("id").collect()["id"])
