"""A log that failed stays so until the collection is reopened; until then nothing piles up."""

from __future__ import annotations

import pytest

import drift_arrow as drift
from drift_arrow.engine import core, registry
from drift_arrow.engine.storage.local import LocalLog
from drift_arrow.errors import PoisonedError, StorageError
from tests.faults.idle_janitor import IdleJanitor
from tests.tables import create, make_table


@pytest.fixture
def poisoned(db, monkeypatch):
    """A collection with a frozen memtable whose log has failed."""
    with monkeypatch.context() as patch:
        patch.setattr(registry, "Janitor", IdleJanitor)
        docs = create(db)
    docs.add(make_table(10))
    docs._core.freeze()

    def fail(_self):
        raise StorageError("storage failed: Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(LocalLog, "sync", fail)
        with pytest.raises(PoisonedError):
            docs.add(make_table(10, start=10))
    return docs


def test_a_flush_that_could_not_be_published_is_not_begun(poisoned, root):
    for _ in range(3):
        with pytest.raises(PoisonedError, match="reopen"):
            poisoned._core.maintenance.flush_frozen()
    assert list((root / "docs/segments").iterdir()) == []


def test_a_batch_that_was_logged_but_not_applied_poisons_the_log(root, monkeypatch):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(10))

        def fail(*_args, **_kwargs):
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(core, "apply_insert", fail)
            with pytest.raises(MemoryError):
                docs.add(make_table(10, start=10))
        # the log may hold these keys, which this process does not know
        with pytest.raises(PoisonedError, match="MemoryError"):
            docs.add(make_table(5, start=10))
    with drift.connect(root) as db:
        assert len(db.collection("docs")) in {10, 20}


def test_rows_that_were_acknowledged_stay_readable(poisoned):
    assert len(poisoned) == 10
    assert poisoned.search([0.0] * poisoned.dim).limit(3).to_arrow().num_rows == 3
