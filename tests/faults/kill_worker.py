"""Forks writing processes that wait to be killed: `python -m tests.faults.kill_worker PATH_OF_COLLECTION`.

Importing and loading compiled code happens once, here, so that a writer begins to write at once. Each line on standard
input is the number of one life. Its process writes its own number, then for every operation that returned the thread;
when it is dead, `dead STATUS` follows.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback

import pyarrow as pa

import drift_arrow as drift
from tests.faults.history import THREADS, operations, thread_rows
from tests.faults.rows import DIM, SCHEMA, Versions, make_rows, read_rows

OPTIONS = drift.Options(memtable_bytes=64 * DIM * 4, merge_bytes=200 * DIM * 4)


def say(line: str) -> None:
    """One atomic write: a process that is killed says a line or does not."""
    os.write(1, f"{line}\n".encode())


def write(docs: drift.Collection, life: int, thread: int, rows: Versions) -> None:
    try:
        for operation in operations(life, thread, rows):
            if operation.kind == "flush":
                docs.flush()
            elif operation.kind == "delete":
                docs.delete(keys=pa.array(operation.changed, pa.int64()))
            else:
                getattr(docs, operation.kind)(make_rows(operation.changed))
            say(str(thread))
    except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
        traceback.print_exc()
        os._exit(1)


def live(path: str, life: int) -> None:
    say(str(os.getpid()))
    docs = drift.open_path(path, read_only=False)
    found = read_rows(docs.to_batches())
    rows = [thread_rows(found, thread) for thread in range(THREADS)]
    threads = [threading.Thread(target=write, args=(docs, life, number, rows[number])) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def warm_up() -> None:
    with drift.connect("memory://warm") as db:
        docs = db.create_collection("docs", schema=SCHEMA, vector="embedding", key="id", options=OPTIONS)
        docs.add(make_rows(dict.fromkeys(range(100), 1)))
        docs.flush()
        docs.upsert(make_rows(dict.fromkeys(range(50), 2)))
        docs.delete(keys=[1])
        docs.flush()
        read_rows(docs.to_batches())


def main() -> None:
    warm_up()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                live(sys.argv[1], int(line))
            except BaseException:  # noqa: BLE001 - as above
                traceback.print_exc()
            os._exit(1)
        say(f"dead {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}")


if __name__ == "__main__":
    main()
