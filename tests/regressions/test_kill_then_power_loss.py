"""What a killed process left in the page cache alone must not be built upon: the next power loss takes it away."""

from __future__ import annotations

import pyarrow as pa
import pytest

from drift_arrow.engine.commit import list_versions
from drift_arrow.engine.core import Core
from drift_arrow.engine.database import _write_first_version
from drift_arrow.engine.recovery import recover
from drift_arrow.engine.spec import make_spec
from drift_arrow.engine.storage import local
from drift_arrow.format.batch import encode_batch
from drift_arrow.format.wal_record import RecordType
from drift_arrow.options import Options
from tests.faults.disk_model import Disk
from tests.faults.rows import DIM, SCHEMA, make_rows, snapshot_rows
from tests.faults.simulated_posix import Killed, SimulatedPosix

OPTIONS = Options(memtable_bytes=4 * DIM * 4)


class Process:
    """Writes to the collection on `disk`, and is dead after `changes` changes of the disk."""

    def __init__(self, disk: Disk, patch: pytest.MonkeyPatch, changes: int | None = None) -> None:
        self.changes_left = changes
        posix = SimulatedPosix(disk, self._count)
        posix.patch(patch, local)
        self.storage = local.LocalStorage(posix.root("/data/docs"))

    def open(self) -> Core:
        if not list_versions(self.storage):
            self.storage.make_directories(["manifests", "segments", "tombstones", "wal"])
            spec = make_spec(SCHEMA, vector="embedding", key="id", metric="l2", dim=None, key_seed=1)
            _write_first_version(self.storage, spec, OPTIONS)
        lock = self.storage.lock()
        self.storage.settle()
        return Core(self.storage, lock, recover(self.storage))

    def _count(self, _call: str, _path: str) -> None:
        if self.changes_left is not None:
            self.changes_left -= 1
            if self.changes_left == 0:
                raise Killed


def first_life(process: Process) -> None:
    core = process.open()
    core.insert(make_rows({1: 1, 2: 1}), is_upsert=False)
    core.insert(make_rows({2: 2, 3: 2, 4: 2}), is_upsert=True)
    core.maintenance.flush_frozen()
    core.delete(pa.array([1]))
    core.freeze()
    core.close()


def life_that_closes_beside_a_writer(process: Process) -> None:
    core = process.open()
    core.insert(make_rows({1: 1, 2: 1}), is_upsert=False)
    # as by a thread that is about to sync it
    core._wal.append(RecordType.UPSERT, encode_batch(make_rows({2: 2, 3: 2})))
    core.close()


@pytest.mark.parametrize(("live", "least_kills"), [(first_life, 50), (life_that_closes_beside_a_writer, 25)])
def test_rows_acknowledged_after_a_kill_survive_the_loss_of_what_the_kill_left_unsynced(monkeypatch, live, least_kills):
    kills = 0
    while True:
        disk = Disk({"/data": None})
        try:
            live(Process(disk, monkeypatch, changes=kills + 1))
            break
        except Killed:
            kills += 1
        second = Process(disk, monkeypatch).open()
        seen = snapshot_rows(second.snapshot)
        second.insert(make_rows({9: 9}), is_upsert=True)
        third = Process(Disk(disk.least()), monkeypatch).open()
        assert snapshot_rows(third.snapshot) == seen | {9: 9}, f"killed after {kills} changes"
        third.close()
    assert kills > least_kills
