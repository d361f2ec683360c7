"""Every step of a life fails, once or from then on: no acknowledged row is lost, and only our own errors are raised."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

import drift_arrow as drift
from drift_arrow.engine import core, registry
from drift_arrow.engine.storage.memory import MemoryStorage
from drift_arrow.errors import DriftError, NotFoundError, StorageError
from tests.faults.faulty_storage import Faults, FaultyStorage
from tests.faults.idle_janitor import IdleJanitor
from tests.faults.rows import DIM, SCHEMA, Versions, make_rows, read_rows
from tests.moves import move_any
from tests.objects_in_memory import ObjectsInMemory

OPTIONS = drift.Options(memtable_bytes=6 * DIM * 4, merge_bytes=0)
_names = itertools.count()


@pytest.fixture(autouse=True)
def _no_background_work(monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    # a writer would wait for the Janitor
    monkeypatch.setattr(core, "FROZEN_MEMTABLES_MAX", 100)


class World:
    """A database on a storage that may fail, and every state that its collection may be in after what it answered."""

    def __init__(self, faults: Faults, kind: type[MemoryStorage] = MemoryStorage) -> None:
        self.faults = faults
        self.storage = FaultyStorage(kind(f"memory://faults-{next(_names)}"), faults)
        self.db = drift.Database(self.storage)
        self.docs: drift.Collection | None = None
        # None: the collection does not exist
        self.states: list[Versions | None] = [None]
        self.answers = 0

    def create(self) -> None:
        kwargs = {"schema": SCHEMA, "vector": "embedding", "key": "id", "options": OPTIONS}
        self._try(lambda: self._keep(self.db.create_collection("docs", **kwargs)), lambda _: {})

    def open(self) -> None:
        self._try(lambda: self._keep(self.db.collection("docs")), lambda rows: rows)

    def close(self) -> None:
        self.docs = None
        self._try(self.db.close, lambda rows: rows)

    def add(self, rows: Versions) -> None:
        self._call(lambda docs: docs.add(make_rows(rows)), lambda now: now | rows)

    def upsert(self, rows: Versions) -> None:
        self._call(lambda docs: docs.upsert(make_rows(rows)), lambda now: now | rows)

    def delete(self, keys: list[int]) -> None:
        self._call(lambda docs: docs.delete(keys=keys), lambda now: {key: now[key] for key in now if key not in keys})

    def flush(self) -> None:
        self._call(lambda docs: docs.flush(), lambda now: now)

    def move(self) -> None:
        self._call(_move, lambda now: now)

    def look(self) -> Versions | None:
        """What the collection holds; it may not exist."""
        try:
            docs = self.docs or self._keep(self.db.collection("docs"))
        except NotFoundError:
            return None
        return read_rows(docs.to_batches())

    def _keep(self, docs: drift.Collection) -> drift.Collection:
        self.docs = docs
        return docs

    def _call(self, act: Callable[[drift.Collection], object], effect: Callable[[Versions], Versions]) -> None:
        docs = self.docs
        if docs is not None:
            self._try(lambda: act(docs), lambda now: None if now is None else effect(now))

    def _try(self, act: Callable[[], object], effect: Callable[[Versions | None], Versions | None]) -> None:
        after = [effect(state) for state in self.states]
        try:
            act()
        except (DriftError, KeyboardInterrupt):
            # the answer is lost: with or without effect
            self.states += [state for state in after if state not in self.states]
        else:
            self.answers += 1
            self.states = after


def _move(docs: drift.Collection) -> None:
    assert isinstance(docs._owned, core.Core)
    move_any(docs._owned, 3)


def live(world: World) -> None:
    """A life in which every kind of file is written, replaced and deleted."""
    world.create()
    world.add({1: 1, 2: 1, 3: 1})
    world.add({4: 1, 5: 1, 6: 1, 7: 1})
    world.flush()
    world.upsert({2: 2, 8: 2})
    world.delete([1, 4])
    world.flush()
    world.upsert({3: 3})
    world.close()
    world.open()
    world.delete([5])
    world.move()
    world.add({9: 4, 10: 4, 11: 4, 12: 4, 13: 4})
    world.flush()
    world.delete([10])
    world.move()
    world.add({14: 5})
    world.close()


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        pytest.param({}, MemoryStorage, id="once-files"),
        pytest.param({"lasting": True}, MemoryStorage, id="lasting-files"),
        pytest.param({"interrupt": True}, MemoryStorage, id="interrupt-files"),
        pytest.param({}, ObjectsInMemory, id="once-objects"),
        pytest.param({"lasting": True}, ObjectsInMemory, id="lasting-objects", marks=pytest.mark.slow),
        pytest.param({"interrupt": True}, ObjectsInMemory, id="interrupt-objects", marks=pytest.mark.slow),
    ],
)
def test_reopening_after_any_failure_finds_what_was_acknowledged(failure, kind):
    counting = Faults()
    live(World(counting, kind))
    for step in range(counting.steps):
        world = World(Faults(step, **failure), kind)
        try:
            live(world)
            world.faults.stop()
            check_what_is_left(world)
        except BaseException as error:
            error.add_note(f"step {step} failed: {world.faults.failed[:1]}")
            raise


def check_what_is_left(world: World) -> None:
    assert world.faults.failed, "a life that failed nowhere has other steps than the one that was counted"
    world.close()
    assert world.faults.open_logs == 0
    found = world.look()
    assert found in world.states
    if found is None:
        return
    assert world.docs is not None
    world.docs.verify()
    world.docs.upsert(make_rows({99: 9}))
    world.close()
    assert world.look() == found | {99: 9}
    world.close()


@pytest.mark.parametrize("kind", [MemoryStorage, ObjectsInMemory], ids=["files", "objects"])
def test_a_life_without_failures_is_answered_in_full(kind):
    world = World(Faults(), kind)
    live(world)
    assert world.answers == 18
    assert [world.look()] == world.states


def test_each_injected_failure_is_a_storage_error():
    storage = FaultyStorage(MemoryStorage("memory://one-failure"), Faults(1))
    storage.list_files("wal")
    with pytest.raises(StorageError, match="step=1"):
        storage.list_files("wal")
    assert storage.list_files("wal") == []
