"""The calls of `test_versions_model` on an object store, where writers die and other machines take over from them."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

import drift_arrow as drift
from drift_arrow.engine import core, registry
from drift_arrow.engine.storage import Storage
from drift_arrow.errors import FencedError
from tests.faults.idle_janitor import IdleJanitor
from tests.faults.machine import Machine
from tests.objects_in_memory import ObjectsInMemory
from tests.properties.test_collection_model import COMMON, Row
from tests.properties.test_versions_model import VersionsModel

_names = itertools.count()


class RivalsModel(VersionsModel):
    """Nobody but the newest writer can write, and whoever opens the collection finds what was acknowledged."""

    def connect(self) -> drift.Database:
        self.store = ObjectsInMemory(f"memory://rivals-{next(_names)}")
        return self.next_machine()

    def next_machine(self) -> drift.Database:
        return drift.Database(Machine(self.store, f"machine-{next(_names)}"))

    def storage_of_reader(self) -> Storage:
        return Machine(self.store, "reader").child("docs")

    @rule()
    def crash(self):
        """The machine is gone as it stands: nothing is closed, nothing is written."""
        forget(self.db)
        self.db = self.next_machine()
        self.docs = self.db.collection("docs")

    @rule(act=st.sampled_from(["upsert", "delete", "restore", "close"]))
    def take_over(self, act):
        before, version = self.docs, self.docs.versions()["version"][-1]
        db = self.next_machine()
        docs = db.collection("docs")
        acts = {
            "upsert": lambda: before.upsert(self.table([Row(0, next(self.versions))])),
            "delete": lambda: before.delete(keys=[self.key(0)]),
            "restore": lambda: before.restore(version),
            "close": before.close,
        }
        with pytest.raises(FencedError):
            acts[act]()
        forget(self.db)
        self.db, self.docs = db, docs


def forget(db: drift.Database) -> None:
    """Forget a writer as its death would."""
    for uri in [uri for uri in registry._open if uri.startswith(db.uri)]:
        registry._open.pop(uri)


@pytest.fixture
def no_background_work(monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    # a writer would wait for the Janitor
    monkeypatch.setattr(core, "FROZEN_MEMTABLES_MAX", 10_000)


@pytest.mark.usefixtures("no_background_work")
def test_whoever_takes_a_collection_over_finds_all_and_the_others_write_no_more():
    modest = settings(COMMON, max_examples=15, stateful_step_count=25, derandomize=True)
    run_state_machine_as_test(RivalsModel, settings=modest)
