"""Two writers of one object store: the one that was taken over acknowledges nothing more, and nothing is lost."""

from __future__ import annotations

import contextlib
import functools
import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

import drift_arrow as drift
from drift_arrow.engine import core, registry
from drift_arrow.errors import (
    AlreadyExistsError,
    CommitConflictError,
    CorruptionError,
    FencedError,
    LockedError,
    NotFoundError,
)
from tests.faults.idle_janitor import IdleJanitor
from tests.faults.machine import Machine, Sleep
from tests.faults.rows import DIM, SCHEMA, Versions, make_rows, read_rows
from tests.objects_in_memory import ObjectsInMemory

OPTIONS = drift.Options(memtable_bytes=6 * DIM * 4, merge_bytes=0)
_names = itertools.count()


@pytest.fixture(autouse=True)
def _no_background_work(monkeypatch):
    monkeypatch.setattr(registry, "Janitor", IdleJanitor)
    # a writer would wait for the Janitor
    monkeypatch.setattr(core, "FROZEN_MEMTABLES_MAX", 100)


@pytest.fixture
def store():
    return ObjectsInMemory(f"memory://fencing-{next(_names)}")


def create(db: drift.Database, options: drift.Options = OPTIONS) -> drift.Collection:
    return db.create_collection("docs", schema=SCHEMA, vector="embedding", key="id", options=options)


def rows_of(store) -> Versions:
    with drift.Database(Machine(store, "reader")) as db:
        docs = db.collection("docs", read_only=True)
        docs.verify()
        return read_rows(docs.to_batches())


def crash(db: drift.Database) -> None:
    """Forget a writer as its death would: nothing is closed, nothing is written."""
    for uri in [uri for uri in registry._open if uri.startswith(db.uri)]:
        registry._open.pop(uri)


def test_the_writer_before_is_fenced_by_whoever_opens_the_collection(store):
    first, second = drift.Database(Machine(store, "a")), drift.Database(Machine(store, "b"))
    docs = create(first)
    docs.add(make_rows({1: 1}))
    taken = second.collection("docs")
    assert read_rows(taken.to_batches()) == {1: 1}
    for act in (lambda: docs.add(make_rows({2: 1})), lambda: docs.delete(keys=[1]), docs.flush):
        with pytest.raises(FencedError, match="took this collection over"):
            act()
    taken.add(make_rows({3: 1}))
    second.close()
    assert rows_of(store) == {1: 1, 3: 1}
    crash(first)


def test_a_fenced_writer_opens_again_and_takes_the_collection_back(store):
    first, second = drift.Database(Machine(store, "a")), drift.Database(Machine(store, "b"))
    create(first).add(make_rows({1: 1}))
    second.collection("docs").add(make_rows({2: 1}))
    with pytest.raises(FencedError):
        first.close()
    first.collection("docs").add(make_rows({3: 1}))
    with pytest.raises(FencedError):
        second.close()
    first.close()
    assert rows_of(store) == {1: 1, 2: 1, 3: 1}


def test_a_writer_that_never_committed_is_fenced_like_any_other(store):
    with drift.Database(Machine(store, "before")) as db:
        made = create(db, replace(OPTIONS, retained_versions=5))
        made.add(make_rows({1: 1}))
        # so that whoever opens it next has nothing to commit
        made.flush()
    first, second = drift.Database(Machine(store, "a")), drift.Database(Machine(store, "b"))
    docs = first.collection("docs")
    version = docs.versions()["version"][-1]
    taken = second.collection("docs")
    taken.add(make_rows({2: 1}))
    taken.flush()
    with pytest.raises(FencedError, match="took this collection over"):
        docs.restore(version)
    second.close()
    assert rows_of(store) == {1: 1, 2: 1}
    crash(first)


def test_a_restore_that_slept_through_a_take_over_is_done_or_refused(store):
    for step in itertools.count():
        mine = store.child(f"step-{step}")
        later = dict.fromkeys(range(100, 104), 1)

        def take_over(mine=mine, later=later):
            with drift.Database(Machine(mine, "rival")) as db:
                taken = db.collection("docs")
                for key in later:
                    taken.add(make_rows({key: 1}))
                    taken.flush()

        sleep = Sleep(None, take_over)
        db = drift.Database(Machine(mine, "sleeper", sleep))
        docs = create(db, replace(OPTIONS, retained_versions=2))
        docs.add(make_rows({1: 1}))
        docs.flush()
        version = docs.versions()["version"][-1]
        docs.add(make_rows({2: 1}))
        docs.flush()
        sleep.steps, sleep.at = 0, step
        try:
            docs.restore(version)
            allowed = [{1: 1}]
        except (FencedError, CommitConflictError, NotFoundError):
            allowed = [{1: 1}, {1: 1, 2: 1}]
        crash(db)
        if sleep.steps <= step:
            break
        assert rows_of(mine) in [rows | later for rows in allowed], f"slept before step {step}"
    assert step > 5


class Rivals:
    """A writer, and another one that takes over while it sleeps before one of its steps."""

    def __init__(self, store: ObjectsInMemory, sleep_at: int | None) -> None:
        self.store = store
        self.sleep_at = sleep_at
        self.sleep = Sleep(None, self.take_over)
        self.db = drift.Database(Machine(store, "sleeper", self.sleep))
        self.must: Versions = {}
        self.may: Versions = {}
        self.is_fenced = False

    def live(self) -> None:
        docs = create(self.db)
        self.sleep.steps, self.sleep.at = 0, self.sleep_at
        for key, is_flush in enumerate((False, True, False, False, True, False, True, False)):
            act = docs.flush if is_flush else functools.partial(docs.add, make_rows({key: 1}))
            self.attempt(act, {key: 1}, is_flush)

    def attempt(self, act: Callable[[], object], rows: Versions, is_flush: bool) -> None:
        began_fenced = self.is_fenced
        try:
            act()
        except (FencedError, CommitConflictError, NotFoundError):
            # the rival may even have deleted the segment of a flush that had not committed it yet
            assert self.is_fenced
            self.may |= {} if is_flush or began_fenced else rows
            return
        assert not began_fenced, "a fenced writer acknowledged"
        self.must |= {} if is_flush else rows

    def take_over(self) -> None:
        """As another machine does that goes on for long enough to delete all that it no longer needs."""
        with drift.Database(Machine(self.store, "rival")) as db:
            docs = db.collection("docs")
            self.is_fenced = True
            for key in range(100, 104):
                docs.add(make_rows({key: 1}))
                docs.flush()
                self.must[key] = 1


def test_a_writer_that_sleeps_before_any_step_while_another_takes_over_loses_nothing():
    counting = Rivals(ObjectsInMemory(f"memory://fencing-{next(_names)}"), None)
    counting.live()
    n_steps = counting.sleep.steps
    assert n_steps > 50
    crash(counting.db)
    for step in range(n_steps):
        rivals = Rivals(ObjectsInMemory(f"memory://fencing-{next(_names)}"), step)
        try:
            rivals.live()
            assert rivals.is_fenced
            crash(rivals.db)
            found = rows_of(rivals.store)
            assert rivals.must.items() <= found.items() <= (rivals.must | rivals.may).items()
            # and whoever comes next can work
            with drift.Database(Machine(rivals.store, "heir")) as db:
                heir = db.collection("docs")
                heir.add(make_rows({999: 1}))
                heir.flush()
            assert rows_of(rivals.store) == found | {999: 1}
        except BaseException as error:
            error.add_note(f"slept before step {step}")
            raise


def test_a_take_over_that_sleeps_before_any_step_beside_a_working_writer_loses_nothing():
    for step in itertools.count():
        store = ObjectsInMemory(f"memory://fencing-{next(_names)}")
        first = drift.Database(Machine(store, "a"))
        docs = create(first)
        docs.add(make_rows({1: 1}))
        docs.flush()

        expected = {1: 1}
        sleep = Sleep(step, functools.partial(work_unless_fenced, docs, expected))
        with drift.Database(Machine(store, "b", sleep)) as second:
            second.collection("docs").add(make_rows({4: 1}))
            n_steps = sleep.steps
        crash(first)
        assert {**expected, 4: 1}.items() <= rows_of(store).items()
        if step >= n_steps:
            break


def work_unless_fenced(docs: drift.Collection, expected: Versions) -> None:
    with contextlib.suppress(FencedError, CommitConflictError):
        docs.add(make_rows({2: 1}))
        expected[2] = 1
        docs.flush()
        docs.add(make_rows({3: 1}))
        expected[3] = 1


@pytest.mark.parametrize("n_writes", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_writers_that_take_over_from_each_other_at_random_lose_nothing(n_writes, store):
    rng = random.Random(3)
    databases = [drift.Database(Machine(store, name)) for name in "abc"]
    create(databases[0])
    handles: dict[int, drift.Collection] = {0: databases[0].collection("docs")}
    owner, expected, refused = 0, {}, 0
    for key in range(n_writes):
        number = rng.randrange(3)
        if rng.random() < 0.1:
            crash(databases[number])
            handles[number] = databases[number].collection("docs")
            owner = number
        if number not in handles:
            continue
        try:
            handles[number].add(make_rows({key: 1}))
            if rng.random() < 0.3:
                handles[number].flush()
        except (FencedError, CommitConflictError):
            assert number != owner
            refused += 1
        else:
            assert number == owner
            expected[key] = 1
    assert refused > n_writes / 6
    assert rows_of(store) == expected
    for database in databases:
        crash(database)


def test_a_writer_that_is_always_faster_keeps_the_collection(store):
    first = drift.Database(Machine(store, "a"))
    docs = create(first)
    keys = itertools.count()

    class Busy(Sleep):
        def step(self, operation: str) -> None:
            super().step(operation)
            if operation.startswith("create wal"):
                docs.add(make_rows({next(keys): 1}))

    second = drift.Database(Machine(store, "b", Busy()))
    with pytest.raises(LockedError, match="another writer is at work"):
        second.collection("docs")
    docs.add(make_rows({next(keys): 1}))
    first.close()


def try_create(db: drift.Database, results: list[bool]) -> None:
    try:
        docs = create(db)
    except AlreadyExistsError:
        results.append(False)
        return
    results.append(True)
    for key in (len(results), 10 * len(results)):
        docs.add(make_rows({key: 1}))
        docs.flush()


def test_of_creators_that_meet_at_any_step_one_succeeds():
    for step in itertools.count():
        store = ObjectsInMemory(f"memory://fencing-{next(_names)}")
        results: list[bool] = []

        rival = drift.Database(Machine(store, "b"))
        sleep = Sleep(step, functools.partial(try_create, rival, results))
        db = drift.Database(Machine(store, "a", sleep))
        try_create(db, results)
        n_steps = sleep.steps
        crash(db)
        crash(rival)
        if step >= n_steps:
            break
        # one that was taken over before it could open what it made is told so, and has made it nevertheless
        assert any(results)
        assert len(rows_of(store)) == 2 * sum(results)


def test_writers_that_wait_for_one_object_share_the_next():
    arrived, go_on = threading.Semaphore(0), threading.Semaphore(0)

    class Slow(Sleep):
        is_slow = False

        def step(self, operation: str) -> None:
            super().step(operation)
            if self.is_slow and operation.startswith("create wal"):
                arrived.release()
                go_on.acquire()

    slow = Slow()
    store = ObjectsInMemory(f"memory://fencing-{next(_names)}")
    with drift.Database(Machine(store, "a", slow)) as db:
        docs = create(db)
        before = len(store.child("docs").list_files("wal"))
        slow.is_slow = True
        with ThreadPoolExecutor(5) as pool:
            writes = [pool.submit(docs.add, make_rows({0: 1}))]
            arrived.acquire()
            wal = registry._open[docs._core.storage.uri].core._wal
            writes += [pool.submit(docs.add, make_rows({key: 1})) for key in range(1, 5)]
            while wal.last_seqno - wal._durable_seqno < 6:
                pass
            slow.is_slow = False
            go_on.release()
            assert [write.result() for write in writes] == [1] * 5
        assert len(store.child("docs").list_files("wal")) == before + 2
    assert rows_of(store) == dict.fromkeys(range(5), 1)


def test_damage_in_an_object_of_the_log_is_found_wherever_it_is(store):
    with drift.Database(Machine(store, "a")) as db:
        docs = create(db)
        docs.add(make_rows({1: 1}))
        docs.add(make_rows({2: 1}))
        name = f"{store.uri}/docs/{store.child('docs').list_files('wal')[-1].path}"
        crash(db)
    intact = bytes(ObjectsInMemory._files[name])
    positions = range(len(intact))
    damaged = [intact[:place] + bytes([intact[place] ^ 16]) + intact[place + 1 :] for place in positions]
    damaged += [intact[:length] for length in range(65, len(intact))]
    for data in damaged:
        ObjectsInMemory._files[name] = data
        with pytest.raises(CorruptionError):
            rows_of(store)
    ObjectsInMemory._files[name] = intact
    assert rows_of(store) == {1: 1, 2: 1}
