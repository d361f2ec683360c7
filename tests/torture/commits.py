"""Four processes that commit to one collection of an object store, by a network that drops requests and answers."""

from __future__ import annotations

import functools
from collections import Counter
from pathlib import Path

import drift_arrow as drift
from tests.s3 import BUCKET, serve
from tests.storage.contest import contest
from tests.torture.campaign import Attempt, Campaign

WRITERS = 4
COMMITS_PER_ATTEMPT = 1000


def commit(seed: int, scratch: Path) -> Attempt:
    """So many commits to a new collection on a server of its own."""
    uri, n_rows = f"s3://{BUCKET}/commits-{seed}", COMMITS_PER_ATTEMPT // WRITERS
    with serve() as options:
        connect = functools.partial(drift.connect, uri, storage_options=options, cache_directory=scratch / "reader")
        wrong = contest(connect, uri, options, scratch / "writers", n_writers=WRITERS, n_rows=n_rows)
    return Attempt(Counter({"": COMMITS_PER_ATTEMPT}), wrong)


COMMITS = Campaign(
    name="commits",
    what="four processes take a collection from each other, and 5 % of requests and of answers are lost",
    unit="commits",
    goal=10_000,
    attempt=commit,
    # the writers and the server have processes of their own
    most_processes=1,
)
