"""An older version as the newest one: its segments in a new manifest, with nothing written twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drift_arrow.engine.commit import next_manifest, publish, read_manifest
from drift_arrow.engine.past import open_past
from drift_arrow.engine.tags import create_tag

if TYPE_CHECKING:
    from drift_arrow.engine.core import Core
    from drift_arrow.engine.heal.relocation import Rotation
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.versions import WhichVersion


def restore(core: Core, which: WhichVersion) -> int:
    """Bring the rows of an older version back as a new version; returns its number.

    Raises
    ------
    NotFoundError, InvalidArgumentError, CorruptionError
        See `find_version`. Nothing changed.
    CommitConflictError, PoisonedError, StorageError
        Rows are as they were, perhaps in segments that were in the log before.

    Notes
    -----
    What was written before the new version, and not flushed, becomes a version of its own first, so that a restore can
    be undone for as long as that one is kept. A write that runs at the same time counts as before it or after it.
    """
    past = open_past(core.storage, which, {view.entry.path: view.reader for view in core.snapshot.segments})

    def successor(head: Snapshot, rotation: Rotation) -> Snapshot:
        # read again where nothing is deleted: manifests go before their files, so that it exists says that those do
        old = read_manifest(core.storage, past.snapshot.manifest.version)
        manifest = next_manifest(
            head.manifest,
            old.segments,
            old.calibration,
            writer_epoch=rotation.writer_epoch,
            wal_floor=rotation.wal_floor,
            last_seqno=rotation.last_seqno,
        )
        publish(core.storage, manifest)
        return replace(
            past.snapshot,
            generation=head.generation + 1,
            seqno=head.seqno,
            manifest=manifest,
            memtables=head.memtables,
            observations=head.observations,
        )

    return core.maintenance.replace_rows(successor).manifest.version


def tag_newest(core: Core, name: str) -> int:
    """Flush all rows and keep the version that holds them under a name; returns its number. Raises as `create_tag`."""
    core.freeze()
    while core.maintenance.flush_frozen():
        pass
    return core.maintenance.undisturbed(lambda: create_tag(core.storage, name, core.snapshot.manifest).version)
