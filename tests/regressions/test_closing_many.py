"""One collection that cannot be closed properly must not keep the others open."""

from __future__ import annotations

import pytest

import drift_arrow as drift
from drift_arrow.engine.storage.local import LocalLog
from drift_arrow.errors import StorageError
from tests.tables import create, make_table


def test_a_database_closes_all_collections_even_if_one_fails_to(root, monkeypatch):
    db = drift.connect(root)
    handles = [create(db, name) for name in ("first", "second")]
    for docs in handles:
        docs.add(make_table(10))
    real, calls = LocalLog.sync, []

    def fail_once(self):
        calls.append(self)
        if len(calls) == 1:
            raise StorageError("storage failed: Input/output error")
        real(self)

    monkeypatch.setattr(LocalLog, "sync", fail_once)
    with pytest.raises(StorageError):
        db.close()
    assert [docs.closed for docs in handles] == [True, True]
    with drift.connect(root) as again:
        assert [len(again.collection(name)) for name in ("first", "second")] == [10, 10]
