"""Forks processes that live one scripted life, for `tests.torture.syscalls`, which kills them in the middle of it.

Importing and loading compiled code happens once, here. Each line on standard input is the directory of one life. Its
process says its number, waits for the next line, says the number of every operation that returned, and `done`; then
`dead` follows.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

import drift_arrow as drift
from tests.faults.kill_worker import OPTIONS, say, warm_up
from tests.faults.rows import SCHEMA, Versions, make_rows

Operation = tuple[Callable[[drift.Collection], object], Versions]
"""What is called, and the rows behind it."""


def life() -> list[Operation]:
    """Every kind of write once or twice, on a collection that was just created."""
    rows, operations = Versions(), list[Operation]()

    def then(act: Callable[[drift.Collection], object], after: Versions) -> Versions:
        operations.append((act, after))
        return after

    def upsert(keys: range, version: int) -> Versions:
        changed = dict.fromkeys(keys, version)
        return then(lambda docs: docs.upsert(make_rows(changed)), rows | changed)

    def delete(keys: range) -> Versions:
        gone = pa.array(keys, pa.int64())
        return then(lambda docs: docs.delete(keys=gone), {key: rows[key] for key in rows if key not in keys})

    first = dict.fromkeys(range(20), 1)
    rows = then(lambda docs: docs.add(make_rows(first)), first)
    rows = upsert(range(15, 30), 2)
    rows = delete(range(0, 30, 7))
    rows = then(lambda docs: docs.flush(), rows)
    rows = then(lambda docs: docs.tag("first"), rows)
    # more than a memtable holds
    rows = upsert(range(100, 160), 3)
    rows = upsert(range(20, 120), 4)
    rows = then(lambda docs: docs.flush(), rows)
    rows = delete(range(20, 120, 2))
    rows = then(lambda docs: docs.heal(), rows)
    rows = then(lambda docs: docs.untag("first"), rows)
    rows = upsert(range(5), 5)
    rows = then(lambda docs: docs.flush(), rows)
    then(lambda docs: docs.close(), rows)
    return operations


def live(root: str) -> None:
    say(str(os.getpid()))
    sys.stdin.readline()
    with drift.connect(Path(root)) as db:
        docs = db.create_collection("docs", schema=SCHEMA, vector="embedding", key="id", options=OPTIONS)
        say("0")
        for number, (act, _) in enumerate(life(), start=1):
            act(docs)
            say(str(number))
    say("done")


def main() -> None:
    warm_up()
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            try:
                live(line.strip())
            except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
                traceback.print_exc()
                say("failed")
            os._exit(0)
        os.waitpid(child, 0)
        say("dead")


if __name__ == "__main__":
    main()
