"""An interrupt from the keyboard that hits the log in any place must not let the next writer wait for ever."""

from __future__ import annotations

import pytest

import drift_arrow as drift
from drift_arrow.engine.storage.local import LocalLog
from drift_arrow.errors import PoisonedError
from tests.tables import create, make_table


def test_after_an_interrupt_of_the_mark_behind_a_group_the_log_refuses_instead_of_blocking(root, monkeypatch):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(make_table(10))
        real, calls = LocalLog.append, []

        def append(self, buffers):
            calls.append(buffers)
            if len(calls) == 2:
                raise KeyboardInterrupt
            real(self, buffers)

        monkeypatch.setattr(LocalLog, "append", append)
        with pytest.raises(KeyboardInterrupt):
            docs.add(make_table(10, start=10))
        monkeypatch.undo()
        with pytest.raises(PoisonedError, match="interrupted"):
            docs._core._wal.check_usable()
        with pytest.raises(PoisonedError, match="reopen"):
            docs.add(make_table(10, start=20))
    with drift.connect(root) as db:
        assert len(db.collection("docs")) == 20
