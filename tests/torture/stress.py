"""Eight threads that write and eight that read one collection, switching as often as the interpreter can."""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

import drift_arrow as drift
from tests.faults.rows import DIM, SCHEMA, Versions, make_rows, read_rows, snapshot_rows
from tests.torture.campaign import Attempt, Campaign

WRITERS = READERS = 8
KEYS_PER_WRITER = 60
SECONDS_PER_ATTEMPT = 30
SWITCH_INTERVAL_S = 1e-5
OPTIONS = drift.Options(memtable_bytes=150 * DIM * 4, merge_bytes=600 * DIM * 4, heal_rows_per_s=20_000)


class Stress:
    """Threads on one collection; each writer has keys of its own, so that it knows what they hold.

    Parameters
    ----------
    docs : drift.Collection
    seed : int
    until : float
        Of the monotonic clock.
    """

    def __init__(self, docs: drift.Collection, seed: int, until: float) -> None:
        self.docs, self.seed, self.until = docs, seed, until
        self.violations: list[str] = []
        self.writes = self.reads = 0

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until and not self.violations

    def write(self, number: int) -> None:
        """Write and delete keys of this thread, and read them back at once."""
        rng, mine = random.Random(self.seed * WRITERS + number), Versions()
        keys = range(number, KEYS_PER_WRITER * WRITERS, WRITERS)
        version = 0
        while self.goes_on:
            version += 1
            chosen = sorted(rng.sample(keys, rng.randint(1, 20)))
            kind = rng.choices(("upsert", "add", "delete", "flush"), (8, 4, 4, 1))[0]
            if kind == "upsert":
                self.docs.upsert(make_rows(dict.fromkeys(chosen, version)))
                mine |= dict.fromkeys(chosen, version)
            elif kind == "add":
                new = dict.fromkeys([key for key in chosen if key not in mine], version)
                self.docs.add(make_rows(new))
                mine |= new
            elif kind == "delete":
                n_deleted = self.docs.delete(keys=pa.array(chosen, pa.int64()))
                self.expect(n_deleted == len(mine.keys() & set(chosen)), f"deleted {n_deleted} of {chosen}")
                mine = {key: mine[key] for key in mine if key not in chosen}
            else:
                self.docs.flush()
            wanted = sorted(rng.sample(keys, 10))
            found = read_rows(self.docs.get(wanted).to_batches())
            self.expect(found == {key: mine[key] for key in wanted if key in mine}, f"writer {number} read {found}")
            self.writes += 1

    def read(self, number: int) -> None:
        """Hold a snapshot, and look whether it changes while others write; search meanwhile."""
        rng = random.Random(~(self.seed * READERS + number))
        while self.goes_on:
            snapshot = self.docs.pin()
            before = snapshot_rows(snapshot)
            query = [float(rng.randrange(KEYS_PER_WRITER * WRITERS)), float(rng.randrange(100))]
            keys = self.docs.search(query).limit(20).select(["id"]).to_arrow()["id"].to_pylist()
            self.expect(len(set(keys)) == len(keys), f"a search found a row twice: {keys}")
            self.expect(snapshot_rows(snapshot) == before, "a snapshot changed")
            self.reads += 1

    def expect(self, is_so: bool, otherwise: str) -> None:
        if not is_so:
            self.violations.append(otherwise)


def stress(seed: int, scratch: Path) -> Attempt:
    """Half a minute on a new collection."""
    return run(seed, scratch, SECONDS_PER_ATTEMPT)


def run(seed: int, scratch: Path, seconds: float) -> Attempt:
    """So many seconds on a new collection."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        with drift.connect(scratch / f"stress-{seed}") as db, ThreadPoolExecutor(WRITERS + READERS) as pool:
            docs = db.create_collection("docs", schema=SCHEMA, vector="embedding", key="id", options=OPTIONS)
            threads = Stress(docs, seed, time.monotonic() + seconds)
            running = [pool.submit(threads.write, number) for number in range(WRITERS)]
            running += [pool.submit(threads.read, number) for number in range(READERS)]
            errors = [repr(error) for future in running if (error := future.exception()) is not None]
            docs.verify()
    finally:
        sys.setswitchinterval(interval)
    idle = [] if threads.writes > seconds and threads.reads > seconds else ["the threads did next to nothing"]
    return Attempt(Counter({"": int(seconds)}), threads.violations + errors + idle)


STRESS = Campaign(
    name="stress",
    what="eight threads write and eight read, and switch as often as they can",
    unit="seconds",
    goal=600,
    attempt=stress,
    # the threads have the machine to themselves
    most_processes=1,
)
