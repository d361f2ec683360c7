"""The Janitor heals within its budget, and rests when there is nothing to heal."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from drift_arrow.engine.heal.allowance import Allowance
from drift_arrow.engine.heal.upkeep import Upkeep
from tests.engine.heal.worlds import BY_THE_JANITOR, core_of, scattered, survey_of
from tests.tables import create, make_table


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def heal(upkeep: Upkeep) -> None:
    while upkeep.step() is not None:
        pass


def test_healing_waits_for_writers_but_not_for_ever(db):
    docs = scattered(db, 6, 1500)
    core, clock = core_of(docs), Clock()
    object.__setattr__(core, "options", BY_THE_JANITOR)
    upkeep = Upkeep(core, clock)
    delays = []
    for start in range(20_000, 26_000, 600):
        docs.add(make_table(600, start=start))
        delays.append(upkeep.step())
        clock.now += 2.0
    assert delays[:5] == [0.05] * 5
    assert core.moved_rows > 0


def wait_until(condition) -> None:
    while not condition():
        time.sleep(0.01)


def test_an_allowance_is_full_at_first_and_refills_at_its_rate():
    clock = Clock()
    allowance = Allowance(100, clock)
    assert allowance.capacity == 3000
    assert allowance.delay_s() == 0
    allowance.spend(500)
    assert allowance.delay_s() == 5
    clock.now += 3
    assert allowance.delay_s() == 2
    clock.now += 60
    allowance.spend(100)
    assert allowance.delay_s() == 1


def test_the_janitor_heals_without_being_asked(db):
    docs = scattered(db, 6, 1500, options=BY_THE_JANITOR)
    wait_until(lambda: docs.stats().segments <= 3)
    assert len(docs) == 9000


def test_deletions_alone_wake_the_janitor(db):
    docs = create(db, options=BY_THE_JANITOR)
    docs.add(make_table(9000))
    docs.flush()
    docs.delete(keys=list(range(0, 9000, 2)))
    wait_until(lambda: docs.stats().deleted_rows == 0)
    assert len(docs) == 4500


def test_nothing_is_surveyed_again_before_something_changes(db, monkeypatch):
    docs = scattered(db, 6, 1500)
    core = core_of(docs)
    upkeep = _upkeep(core, monkeypatch)
    heal(upkeep)
    monkeypatch.setattr("drift_arrow.engine.heal.healer.make_survey", _fail)
    for _ in range(10):
        assert upkeep.step() is None


def test_no_more_rows_move_than_three_for_each_that_was_written_or_deleted(db, monkeypatch):
    docs = scattered(db, 6, 1500)
    core = core_of(docs)
    upkeep = _upkeep(core, monkeypatch)
    heal(upkeep)
    # what there was when it began
    credit = 9000
    for start in range(9000, 12000, 500):
        docs.add(make_table(500, start=start))
        docs.flush()
        docs.delete(keys=list(range(start - 9000, start - 8500)))
        heal(upkeep)
        assert core.moved_rows <= credit + 3 * core.churned_rows
    assert core.moved_rows > credit


def test_a_collection_that_is_not_to_be_healed_is_not(db):
    docs = scattered(db, 6, 1500)
    core = core_of(docs)
    assert Upkeep(core).step() is None
    assert docs.stats().segments == 6


def test_the_janitor_of_a_healed_collection_takes_no_time_of_the_processor(db):
    docs = scattered(db, 6, 1500, options=BY_THE_JANITOR)
    wait_until(lambda: docs.stats().segments <= 3)
    (janitor,) = [thread for thread in threading.enumerate() if thread.name.startswith("janitor")]
    wait_until(lambda: _used(janitor) == _used_after_a_while(janitor))
    cost = survey_of(docs).query_cost
    assert cost > 0


def _upkeep(core, monkeypatch) -> Upkeep:
    """One that does not wait for its allowance."""
    monkeypatch.setattr(Allowance, "delay_s", lambda _: 0.0)
    object.__setattr__(core, "options", BY_THE_JANITOR)
    return Upkeep(core)


def _used_after_a_while(thread: threading.Thread) -> str:
    time.sleep(0.5)
    return _used(thread)


def _used(thread: threading.Thread) -> str:
    """CPU time of a thread, in clock ticks."""
    text = Path(f"/proc/self/task/{thread.native_id}/stat").read_text("ascii")
    return " ".join(text.rpartition(")")[2].split()[11:13])


def _fail(*_args: object) -> None:
    raise AssertionError("surveyed")
