"""What is done to the files of an open collection beside its writes: flushes, moves of rows, garbage collection."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, TypeVar

from drift_arrow.engine.flush import flush
from drift_arrow.engine.gc import collect_garbage, doomable_files
from drift_arrow.engine.heal.relocation import relocate
from drift_arrow.engine.verify import verify_collection

if TYPE_CHECKING:
    from collections.abc import Callable

    from drift_arrow.engine.core import Core
    from drift_arrow.engine.heal.relocation import Calibrate, Move, Relocated, Rotation
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.verify import VerifyReport
    from drift_arrow.format.calibration import Calibration
    from drift_arrow.format.manifest import Manifest

T = TypeVar("T")

_NOTICED_SHARE: Final = 0.02
"""Unflushed deletions, of the rows alive, that are flushed before rows move, so that the dead are seen."""


_REPLACED_SHARE: Final = 0.3
"""Rows written and deleted, of those alive, after which where searches stop is fitted again whatever the counts say."""


class Maintenance:
    """Works on one open collection, one thing at a time, while others read and write.

    Parameters
    ----------
    core : Core
        The open collection.

    Attributes
    ----------
    exclusive : Lock
        Held by whoever works. It is taken before the lock of the writers.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self.exclusive = threading.Lock()
        self._calibration = core.snapshot.manifest.calibration
        self._churned_before = 0

    def flush_frozen(self) -> bool:
        """Flush the frozen memtables and delete what is no longer named; returns whether there were any."""
        with self.exclusive:
            # once closed, another process may hold the lock; and the Janitor asks more often than there is work
            if self._core.closed or len(self._core.flushable()[0].memtables) == 1:
                return False
            doomable = doomable_files(self._core.storage)
            if not self._flush_base():
                return False
            self._tidy(doomable)
            return True

    def move(self, choose: Callable[[Snapshot], Move | None], calibrate: Calibrate) -> None:
        """Move rows between segments, and delete what is no longer named; flushes wait meanwhile.

        Parameters
        ----------
        choose : callable
            Gives the move of rows of the newest flushed snapshot, or None if there is nothing to move.
        calibrate : callable
            As `relocate` takes it.

        Raises
        ------
        CommitConflictError, PoisonedError, StorageError
            Nothing moved.
        """
        with self.exclusive:
            # once closed, another process may hold the lock
            if self._core.closed:
                return
            doomable, before = doomable_files(self._core.storage), self._core.snapshot.manifest
            base, rotation = self._flushed_base()
            move = choose(base)
            if move is not None:
                self._core.check_log()
                self._adopt(relocate(self._core.storage, base, move, rotation=rotation, calibrate=calibrate))
            if self._core.snapshot.manifest is not before:
                self._tidy(doomable)

    def replace_rows(self, successor: Callable[[Snapshot, Rotation], Snapshot]) -> Snapshot:
        """Put a committed snapshot in the place of all rows, which were flushed before; returns it.

        `successor` gets the newest snapshot and the rotation behind it; nothing is written or deleted while it runs.
        """
        with self.exclusive:
            doomable = doomable_files(self._core.storage)
            # most of the work, while writers go on; then what they did meanwhile, while they wait
            self._core.freeze()
            self._flush_base()
            with self._core.pausing_writes():
                self._core.freeze()
                self._flush_base()
                head = self._core.succeed(successor)
            self._tidy(doomable)
            return head

    def undisturbed(self, work: Callable[[], T]) -> T:
        """Do `work` while nothing is flushed or deleted."""
        with self.exclusive:
            self._core.check_open()
            return work()

    def collect_garbage(self) -> None:
        """Delete what no retained version names, such as the files that a crash of an earlier writer left."""
        with self.exclusive:
            # without a lock, only a commit of ours tells garbage from the work of another writer
            if not self._core.closed and self._core.storage.appends:
                collect_garbage(self._core.storage, self._core.options)

    def fitting(self, manifest: Manifest) -> Calibration | None:
        """The calibration of the newest version; None if so many rows came and went since that it may not fit."""
        self._watch(manifest.calibration)
        churned = self._core.churned_rows - self._churned_before
        return None if churned > _REPLACED_SHARE * self._core.snapshot.n_live else manifest.calibration

    def verify(self) -> VerifyReport:
        """Check every byte of the newest version."""
        self._core.check_open()
        with self.exclusive:
            return verify_collection(self._core.storage, self._core.snapshot.manifest.version)

    def _flush_base(self) -> bool:
        base, rotation = self._core.flushable()
        if len(base.memtables) == 1:
            return False
        core = self._core
        core.check_log()
        fitting = self.fitting(base.manifest)
        self._adopt(flush(core.storage, base, rotation, core.spec, core.options, fitting=fitting))
        return True

    def _adopt(self, relocated: Relocated) -> None:
        self._core.adopt(relocated)
        self._watch(relocated.manifest.calibration)

    def _watch(self, calibration: Calibration | None) -> None:
        if calibration is not self._calibration:
            self._calibration, self._churned_before = calibration, self._core.churned_rows

    def _flushed_base(self) -> tuple[Snapshot, Rotation]:
        """The rows of the newest version exactly, and the rotation behind them."""
        base, rotation = self._core.flushable()
        # what was replayed at opening is behind the rotation, but in the base
        if base.seqno > rotation.last_seqno or self._core.unflushed_deletions() > _NOTICED_SHARE:
            self._core.freeze()
        while self._flush_base():
            pass
        base, rotation = self._core.flushable()
        # a writer may have rotated just now
        return (base, rotation) if len(base.memtables) == 1 else self._flushed_base()

    def _tidy(self, doomable: frozenset[str] | None) -> None:
        snapshot = self._core.snapshot
        snapshot.observations.keep(self._core.storage, snapshot)
        collect_garbage(self._core.storage, self._core.options, doomable)
