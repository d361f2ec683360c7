"""A log that failed stays so until the collection is reopened; until then nothing piles up."""

from __future__ import annotations

import pytest

from drift_arrow.engine import registry
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
            poisoned._core.flush_frozen()
    assert list((root / "docs/segments").iterdir()) == []


def test_rows_that_were_acknowledged_stay_readable(poisoned):
    assert len(poisoned) == 10
    assert poisoned.search([0.0] * poisoned.dim).limit(3).to_arrow().num_rows == 3
