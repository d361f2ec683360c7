"""Processes that take one collection from each other on a lossy network, and what must be true of it afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import drift_arrow as drift
from tests.tables import create

ROOT = Path(__file__).resolve().parents[2]
SOME_VERSIONS = drift.Options(retained_versions=8)


def contest(
    connect: Callable[[], drift.Database],
    uri: str,
    options: dict[str, str],
    cache: Path,
    *,
    n_writers: int,
    n_rows: int,
) -> list[str]:
    """Let writers add so many rows each, one at a time; what was wrong.

    `connect` opens the store by a network that loses nothing; `uri`, `options` and `cache` are what the writers use.
    """
    with connect() as db:
        create(db, options=SOME_VERSIONS)
    command = [sys.executable, "-m", "tests.storage.rival_writer", uri, json.dumps(options), str(cache)]
    writers = [
        subprocess.Popen([*command, str(number), str(n_rows)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for number in range(n_writers)
    ]
    said = [writer.communicate()[0].split() for writer in writers]
    failed = [f"a writer ended with {writer.returncode}" for writer in writers if writer.returncode]
    acknowledged = {int(key) for keys in said for key in keys}
    tried = {number * 10**6 + row for number in range(n_writers) for row in range(n_rows)}
    with connect() as db:
        docs = db.collection("docs", read_only=True)
        # every file that any version names
        docs.verify()
        stored = docs.scan().select("id").collect()["id"].to_list()
        versions = docs.versions()["version"].to_list()
    wrong = {
        "rows are lost": acknowledged - set(stored),
        "rows that nobody added": set(stored) - tried,
        "rows are there twice": {key for key in stored if stored.count(key) > 1}
        if len(set(stored)) < len(stored)
        else (),
        "versions are missing": set(range(versions[0], versions[-1] + 1)) - set(versions),
    }
    return failed + [f"{what}: {sorted(these)[:20]}" for what, these in wrong.items() if these]
