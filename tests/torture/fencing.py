"""Writers of an object store that are stopped by a signal, taken over from, and let go on."""

from __future__ import annotations

import contextlib
import functools
import random
from collections import Counter
from pathlib import Path

import drift_arrow as drift
from tests.s3 import BUCKET, serve
from tests.storage.pausing import PausedWriters
from tests.tables import create
from tests.torture.campaign import Attempt, Campaign

ROUNDS_PER_ATTEMPT = 50
LONGEST_WAIT_S = 0.05


def stop_and_take_over(seed: int, scratch: Path) -> Attempt:
    """So many rounds on one collection of a server of its own."""
    rng, uri, violations = random.Random(seed), f"s3://{BUCKET}/fencing", []
    with serve() as options:
        connect = functools.partial(drift.connect, uri, storage_options=options, cache_directory=scratch / "taker")
        with connect() as db:
            create(db)
        with contextlib.closing(PausedWriters(connect, uri, options, scratch / "writer")) as writers:
            for number in range(ROUNDS_PER_ATTEMPT):
                wrong = writers.round(number * 10**6, rng.randint(1, 6), rng.random() * LONGEST_WAIT_S)
                violations += [] if wrong is None else [wrong]
        with connect() as db:
            db.collection("docs", read_only=True).verify()
    return Attempt(Counter({"": ROUNDS_PER_ATTEMPT}), violations)


FENCING = Campaign(
    name="fencing",
    what="a writer of an object store is stopped by a signal, taken over from, and goes on",
    unit="rounds",
    goal=1000,
    attempt=stop_and_take_over,
)
