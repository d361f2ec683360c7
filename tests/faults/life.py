"""Random lives of a collection on a simulated disk, and what every crash of them may leave."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from drift_arrow.engine.commit import list_versions
from drift_arrow.engine.core import Core
from drift_arrow.engine.database import _write_first_version
from drift_arrow.engine.recovery import recover
from drift_arrow.engine.spec import make_spec
from drift_arrow.engine.storage import Storage, local
from drift_arrow.errors import AlreadyExistsError, DriftError, NotFoundError
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.options import FROZEN_MEMTABLES_MAX, Options
from tests.faults.disk_model import Disk, Image
from tests.faults.frozen_storage import FrozenStorage
from tests.faults.rows import DIM, KEY_SCHEMA, SCHEMA, Versions, make_rows, snapshot_rows
from tests.faults.simulated_posix import Killed, SimulatedPosix
from tests.moves import move_any

ROOT = "/data/docs"
DIRECTORIES = ("manifests", "segments", "tombstones", "wal")
OPTIONS = Options(memtable_bytes=6 * DIM * 4, merge_bytes=12 * DIM * 4)
KEYS = range(16)
PROTOCOLS = ("append", "rotate", "flush", "commit", "heal", "gc", "recovery", "recovery again")

Outcome = Versions | str | None
"""Rows, or what went wrong, or None if there is no collection."""


class Lives:
    """One life after the other on one disk, ended by a close, the death of the process, a failed sync, or a power loss.

    Parameters
    ----------
    seed : int
        Decides everything but the random bytes that the engine puts into its files.
    monkeypatch : pytest.MonkeyPatch
        Puts the simulated system calls under the real storage.
    images_per_change : int or mapping of str to int
        Power losses to try after every change of the disk, for all or each of PROTOCOLS.

    Attributes
    ----------
    states : Counter of str
        Crash states that were tried, by what was going on, one of PROTOCOLS; opening a collection for the second time
        after one opening was cut off is "recovery again".
    distinct_states : int
        How many of them differed in a file that counts.
    violations : list of str
        What was wrong in them.
    """

    def __init__(self, seed: int, monkeypatch: Any, *, images_per_change: int | Mapping[str, int]) -> None:
        self.states: Counter[str] = Counter()
        self.distinct_states = 0
        self.violations: list[str] = []
        self._rng = random.Random(seed)
        self._monkeypatch = monkeypatch
        self._images = (
            images_per_change if isinstance(images_per_change, Mapping) else dict.fromkeys(PROTOCOLS, images_per_change)
        )
        self._doing, self._is_rotating = "", False
        self._version = 0
        self._segments: dict[tuple[str, bytes], SegmentReader] = {}
        self._outcomes: dict[frozenset[tuple[str, bytes]], Outcome] = {}
        self._disk = Disk({"/data": None})
        # rows after the last acknowledged operation (None: no collection), then those if the running one has succeeded
        self._allowed: list[Versions | None] = [None]

    def live(self) -> None:
        """One life, from opening to its end."""
        end = self._rng.choice(("close", "kill", "failed sync"))
        failing_sync = self._rng.randint(1, 25) if end == "failed sync" else None
        posix = SimulatedPosix(self._disk, self._after_change, failing_sync)
        posix.patch(self._monkeypatch, local)
        self._changes_left = self._rng.randint(1, 100) if end == "kill" else None
        self._is_rotating = False
        self._outcomes.clear()
        self._segments.clear()
        found = len(self.violations)
        try:
            core = self._open(local.LocalStorage(posix.root(ROOT)))
            for _ in range(self._rng.randint(0, 20)):
                core = self._step(core)
            if self._rng.random() < 0.5:
                core.close()
        except Killed:
            pass
        except DriftError as error:
            if not posix.has_failed:
                self.violations.append(f"{type(error).__name__}: {error}")
        if len(self.violations) > found:
            self._start_again()
        elif self._rng.random() < 0.5:
            self._disk = Disk(self._disk.crash(self._rng))

    def _start_again(self) -> None:
        self._disk, self._allowed = Disk({"/data": None}), [None]

    def _open(self, storage: Storage) -> Core:
        self._doing = "recovery again" if self._doing.startswith("recovery") else "recovery"
        if not list_versions(storage):
            self._check(None)
            self._begin({})
            storage.make_directories(DIRECTORIES)
            lock = storage.lock()
            spec = make_spec(SCHEMA, vector="embedding", key="id", metric="l2", dim=None, key_seed=1)
            _write_first_version(storage, spec, OPTIONS)
            lock.release()
        lock = storage.lock()
        storage.settle()
        core = Core(storage, lock, recover(storage))
        rows = snapshot_rows(core.snapshot)
        self._check(rows)
        # what an operation that was cut off left is settled once the collection is open
        self._allowed = [rows]
        self._doing = "append"
        return core

    def _step(self, core: Core) -> Core:
        kind = self._rng.choices(
            ("upsert", "add", "delete", "flush", "janitor", "move", "reopen"), (7, 4, 3, 2, 3, 2, 1)
        )[0]
        if kind == "reopen":
            core.close()
            return self._open(core.storage)
        self._doing = {"flush": "flush", "janitor": "flush", "move": "heal"}.get(kind, "append")
        if kind == "flush":
            core.freeze()
        # no Janitor runs beside this thread, and a writer would wait for it
        if kind in {"flush", "janitor"} or len(core.snapshot.memtables) > FROZEN_MEMTABLES_MAX + 1:
            core.maintenance.flush_frozen()
        elif kind == "move":
            move_any(core, self._rng.randint(0, 9999))
        elif kind == "delete":
            self._delete(core)
        else:
            self._insert(core, is_upsert=kind == "upsert")
        self._check(snapshot_rows(core.snapshot))
        return core

    def _insert(self, core: Core, *, is_upsert: bool) -> None:
        self._version += 1
        now = self._now()
        changed = dict.fromkeys(self._rng.sample(KEYS, self._rng.randint(1, 5)), self._version)
        if is_upsert or now.keys().isdisjoint(changed):
            self._begin(now | changed)
            core.insert(make_rows(changed), is_upsert=is_upsert)
            self._done()
            return
        try:
            core.insert(make_rows(changed), is_upsert=False)
        except AlreadyExistsError:
            return
        self.violations.append(f"a key was added twice; keys={list(changed)}")

    def _delete(self, core: Core) -> None:
        keys = self._rng.sample(KEYS, self._rng.randint(1, 4))
        now = self._now()
        self._begin({key: version for key, version in now.items() if key not in keys})
        n_deleted = core.delete(pa.array(keys, KEY_SCHEMA.field("id").type))
        self._done()
        if n_deleted != len(now.keys() & set(keys)):
            self.violations.append(f"another number of rows was deleted; keys={keys} got={n_deleted}")

    def _now(self) -> Versions:
        (now,) = self._allowed
        assert now is not None
        return now

    def _begin(self, after: Versions) -> None:
        self._allowed = [self._allowed[0], after]

    def _done(self) -> None:
        self._allowed = self._allowed[1:]

    def _after_change(self, call: str, path: str) -> None:
        protocol = self._protocol(call, path)
        self.states[protocol] += self._images[protocol]
        for _ in range(self._images[protocol]):
            self._check(self._recovered(self._disk.crash(self._rng)))
        if self._changes_left is not None:
            self._changes_left -= 1
            if self._changes_left == 0:
                raise Killed

    def _protocol(self, call: str, path: str) -> str:
        """What a change of the disk belongs to, one of PROTOCOLS."""
        name = path.removeprefix(f"{ROOT}/")
        if name.startswith("wal") and not self._doing.startswith("recovery"):
            # a new log is there once its name is synced
            is_part, self._is_rotating = self._is_rotating, call == "open" or (self._is_rotating and name != "wal")
            return "gc" if call == "unlink" else "rotate" if is_part or self._is_rotating else self._doing
        if self._doing.startswith("recovery"):
            return self._doing
        if call == "unlink" and not _is_temporary(name):
            return "gc"
        return "commit" if name.startswith("manifests") else self._doing

    def _recovered(self, image: Image) -> Outcome:
        """What recovery makes of an image; many crashes leave the same one."""
        prefix = f"{ROOT}/"
        files = {path.removeprefix(prefix): data for path, data in image.items() if data is not None}
        named = frozenset((path, data) for path, data in files.items() if not _is_temporary(path))
        if named not in self._outcomes:
            self.distinct_states += 1
            self._outcomes[named] = self._recover(files)
        return self._outcomes[named]

    def _recover(self, files: dict[str, bytes]) -> Outcome:
        # most images hold the same segments, and opening them is most of the work
        known = {path: self._segments[path, data] for path, data in files.items() if (path, data) in self._segments}
        try:
            snapshot = recover(FrozenStorage(files), known).snapshot
            for view in snapshot.segments:
                self._segments[view.entry.path, files[view.entry.path]] = view.reader
            return snapshot_rows(snapshot)
        except NotFoundError as error:
            return None if "no collection" in str(error) else str(error)
        except (DriftError, AssertionError) as error:
            return f"{type(error).__name__}: {error}"

    def _check(self, outcome: Outcome) -> None:
        if outcome not in self._allowed:
            self.violations.append(outcome if isinstance(outcome, str) else f"{outcome} is not in {self._allowed}")


def _is_temporary(path: str) -> bool:
    return path == "LOCK" or path.rpartition("/")[2].startswith(".tmp-")
