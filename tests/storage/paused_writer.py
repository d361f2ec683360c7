"""Forks writers that a test stops: `python -m tests.storage.paused_writer URI OPTIONS CACHE`.

Importing and loading compiled code happens once, here. Each line on standard input is the first key of one writer,
which takes the collection "docs" over and adds rows to it, one at a time. It says its process, then every key that is
acknowledged, and `fenced` once another writer took over.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import traceback

import drift_arrow as drift
from drift_arrow.errors import FencedError
from tests.tables import create, make_table


def say(line: object) -> None:
    """One atomic write: a process that is stopped says a line or does not."""
    os.write(1, f"{line}\n".encode())


def write(uri: str, options: str, cache: str, first_key: int) -> None:
    say(os.getpid())
    try:
        docs = drift.connect(uri, storage_options=json.loads(options), cache_directory=cache).collection("docs")
        for key in itertools.count(first_key):
            docs.add(make_table(1, start=key))
            say(key)
    except FencedError:
        say("fenced")


def warm_up() -> None:
    with drift.connect("memory://warm") as db:
        docs = create(db)
        docs.add(make_table(10))
        docs.flush()


def main(uri: str, options: str, cache: str) -> None:
    warm_up()
    for line in sys.stdin:
        if os.fork() == 0:
            try:
                write(uri, options, cache, int(line))
            except BaseException:  # noqa: BLE001 - whatever it is, the test must hear of it
                traceback.print_exc()
                say("failed")
            os._exit(0)
        os.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
