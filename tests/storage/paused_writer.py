"""Adds rows to a collection of an object store, one at a time, and says which are acknowledged: the test stops it."""

from __future__ import annotations

import itertools
import json
import sys

import drift_arrow as drift
from drift_arrow.errors import FencedError
from tests.tables import make_table


def main(uri: str, options: str, cache: str) -> None:
    docs = drift.connect(uri, storage_options=json.loads(options), cache_directory=cache).collection("docs")
    for key in itertools.count():
        try:
            docs.add(make_table(1, start=key))
        except FencedError:
            sys.stdout.write("fenced\n")
            return
        sys.stdout.write(f"{key}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
