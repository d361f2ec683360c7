"""What a thread of a writing process does, one operation after the other, as a pure function of a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.rows import Versions

THREADS = 3
KEYS_PER_THREAD = 120
OPERATIONS_PER_LIFE = 1000


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: `kind` with the rows to write or the keys to delete, and what the thread's keys hold after it."""

    kind: str
    changed: Versions
    after: Versions


def thread_rows(versions: Versions, thread: int) -> Versions:
    """The rows that belong to one thread: no other thread touches their keys."""
    return {key: version for key, version in versions.items() if key % THREADS == thread}


def operations(life: int, thread: int, rows: Versions) -> Iterator[Operation]:
    """Endless operations on the thread's own keys, which hold `rows` at the start; every version is written once."""
    rng = random.Random(life * THREADS + thread)
    keys = range(thread, KEYS_PER_THREAD * THREADS, THREADS)
    for number in range(OPERATIONS_PER_LIFE):
        version = life * OPERATIONS_PER_LIFE + number
        kind = rng.choices(("upsert", "add", "delete", "flush"), (8, 4, 4, 1))[0]
        free = [key for key in keys if key not in rows]
        wanted = free if kind == "add" else keys
        chosen = rng.sample(wanted, min(len(wanted), rng.randint(1, 30)))
        if kind == "flush" or not chosen:
            yield Operation("flush", {}, rows)
            continue
        changed = dict.fromkeys(chosen, version)
        rows = rows | changed if kind != "delete" else {key: rows[key] for key in rows if key not in changed}
        yield Operation(kind, changed, rows)
