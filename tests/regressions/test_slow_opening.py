"""Opening one collection, which may take as long as its log is, keeps nobody waiting who wants another one."""

from __future__ import annotations

import threading

from drift_arrow.engine import registry
from tests.tables import create, make_table


def test_a_collection_is_used_while_another_one_is_being_recovered(any_db, monkeypatch):
    create(any_db, "slow").close()
    create(any_db, "quick").close()
    recover, is_recovering, may_go_on = registry._recover, threading.Event(), threading.Event()

    def recover_slowly(storage):
        if storage.uri.endswith("slow"):
            is_recovering.set()
            may_go_on.wait()
        return recover(storage)

    monkeypatch.setattr(registry, "_recover", recover_slowly)
    opening = threading.Thread(target=lambda: any_db.collection("slow").close())
    opening.start()
    try:
        is_recovering.wait()
        # all of this returns before the slow one is open
        docs = any_db.collection("quick")
        docs.add(make_table(3))
        docs.close()
        assert not registry.is_open(docs.path)
    finally:
        may_go_on.set()
        opening.join()
    assert registry._turns == {}
