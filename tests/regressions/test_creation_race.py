"""Two processes create one collection: the slower one must not touch the files of the faster one."""

from __future__ import annotations

import pytest

import drift_arrow as drift
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.errors import AlreadyExistsError
from tests.tables import create, make_table


def test_a_creation_that_was_overtaken_changes_nothing(root, monkeypatch):
    real = LocalStorage.make_directories

    def be_overtaken(self, names):
        monkeypatch.undo()
        with drift.connect(root) as faster:
            create(faster).add(make_table(50))
        real(self, names)

    monkeypatch.setattr(LocalStorage, "make_directories", be_overtaken)
    with drift.connect(root) as db:
        with pytest.raises(AlreadyExistsError, match="exists"):
            create(db)
        assert len(db.collection("docs")) == 50
