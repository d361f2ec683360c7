"""A verification takes long, and writers go on meanwhile."""

from __future__ import annotations

import pytest

from drift_arrow.engine.collection import Collection
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.recovery import open_reader
from drift_arrow.engine.storage.local import LocalStorage
from tests.tables import create, make_table


@pytest.fixture
def docs(db):
    docs = create(db)
    docs.add(make_table(50))
    docs.flush()
    docs.add(make_table(10, start=50))
    return docs


def meanwhile(monkeypatch, write) -> None:
    """Let `write` happen once, just before a segment is opened for verification."""

    def open_late(*args):
        monkeypatch.setattr("drift_arrow.engine.verify.open_reader", open_reader)
        write()
        return open_reader(*args)

    monkeypatch.setattr("drift_arrow.engine.verify.open_reader", open_late)


def test_a_log_file_that_begins_during_a_verification_is_verified_too(docs, monkeypatch):
    meanwhile(monkeypatch, docs._core.freeze)
    assert docs.verify().files == 4


def test_a_reader_verifies_the_next_version_if_its_own_is_replaced(docs, root, monkeypatch):
    reader = Collection("docs", Reader(LocalStorage(root / "docs")), read_only=True)
    meanwhile(monkeypatch, docs.flush)
    assert reader.verify().rows == 60
    assert len(reader) == 60
