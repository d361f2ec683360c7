"""Kills writing processes at random moments, again and again on one directory, and checks what each of them left.

Method: RocksDB's expected state (db_stress): what was acknowledged must be there, what was under way may be.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import islice
from pathlib import Path

import drift_arrow as drift
from drift_arrow.engine.commit import list_versions, manifest_path, read_manifest
from drift_arrow.engine.gc import named_files
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.engine.tags import list_tags, read_tagged, tag_path
from drift_arrow.engine.wal import parse_wal_path
from tests.faults.history import THREADS, operations, thread_rows
from tests.faults.kill_worker import OPTIONS
from tests.faults.rows import SCHEMA, Versions, read_rows

ROOT = Path(__file__).resolve().parents[2]
MOST_OPERATIONS = 40
LONGEST_OPENING_S = 0.1
LONGEST_OPERATION_S = 0.01
LIVES_PER_FLUSH = 10


class Killer:
    """Starts writers on one collection, kills them, and tells what they had acknowledged."""

    def __init__(self, path: Path) -> None:
        command = [sys.executable, "-m", "tests.faults.kill_worker", str(path)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def kill_one(self, life: int, operations: int, after_s: float) -> Counter[int]:
        """Operations that each thread had seen return when its process died, `after_s` seconds after so many in all."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{life}\n")
        self._process.stdin.flush()
        writer = int(self._line())
        acknowledged = Counter(int(self._line()) for _ in range(operations))
        time.sleep(after_s)
        os.kill(writer, signal.SIGKILL)
        while not (line := self._line()).startswith("dead"):
            acknowledged[int(line)] += 1
        assert line == f"dead {-signal.SIGKILL}", "the writer failed before it was killed; see standard error"
        return acknowledged

    def close(self) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended; see standard error"
        return line.strip()


def make_collection(root: Path) -> Path:
    """An empty collection for writers to be killed on; its path."""
    with drift.connect(root) as db:
        db.create_collection("docs", schema=SCHEMA, vector="embedding", key="id", options=OPTIONS)
    return root / "docs"


def after(life: int, thread: int, rows: Versions, acknowledged: int) -> list[Versions]:
    """What the keys of a thread may hold: as acknowledged, or with the one operation more that was under way."""
    done = list(islice(operations(life, thread, rows), acknowledged + 1))
    return [[rows, *(operation.after for operation in done)][index] for index in (acknowledged, acknowledged + 1)]


def unexplained_files(path: Path) -> set[str]:
    storage = LocalStorage(path)
    versions = list_versions(storage)[-OPTIONS.retained_versions :]
    manifests = [read_manifest(storage, version) for version in versions]
    tagged = [read_tagged(storage, tag, tag.collection_uuid) for tag in list_tags(storage)]
    explained = {"LOCK", *map(manifest_path, versions), *(manifest_path(manifest.version) for manifest in tagged)}
    explained.update(name for manifest in manifests + tagged for name in named_files(manifest))
    explained.update(tag_path(tag.name) for tag in list_tags(storage))
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    logs = {name: parse_wal_path(name) for name in found - explained}
    return {name for name, log in logs.items() if log is None or log[1] < manifests[-1].wal_floor}


def survive(killer: Killer, path: Path, lives: range) -> int:
    """Kill a writer in each of `lives`, check what each one left, and return what they acknowledged in all.

    Their numbers must be new to the collection: the versions that they write follow from them.
    """
    rng, total = random.Random(lives.start), 0
    with drift.open_path(path, read_only=True) as docs:
        rows = read_rows(docs.to_batches())
    for life in lives:
        n_operations = max(0, rng.randint(-MOST_OPERATIONS // 3, MOST_OPERATIONS))
        longest_s = LONGEST_OPERATION_S if n_operations else LONGEST_OPENING_S
        acknowledged = killer.kill_one(life, n_operations, rng.random() * longest_s)
        total += acknowledged.total()
        # only sometimes by a writer, so that most writers find what a kill left, and are killed while they recover
        is_writer = life % LIVES_PER_FLUSH == LIVES_PER_FLUSH - 1
        with drift.open_path(path, read_only=not is_writer) as docs:
            found = read_rows(docs.to_batches())
            for thread in range(THREADS):
                allowed = after(life, thread, thread_rows(rows, thread), acknowledged[thread])
                assert thread_rows(found, thread) in allowed, f"life={life} thread={thread}"
            if is_writer:
                docs.flush()
                assert read_rows(docs.to_batches()) == found
                docs.verify()
                assert unexplained_files(path) == set()
        rows = found
    return total
