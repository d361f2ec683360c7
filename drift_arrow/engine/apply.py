"""What one operation does to a snapshot: the same for a live write and for its replay after a crash."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.memtable import Memtable
from drift_arrow.engine.snapshot import MemtableView, find_live

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.ingest import Batch
    from drift_arrow.engine.snapshot import Snapshot, View
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options

_FLOAT32_BYTES = 4


def with_room(snapshot: Snapshot, n_rows: int, spec: CollectionSpec, options: Options) -> Snapshot:
    """`snapshot` with a fresh active memtable that holds at least `n_rows` rows."""
    usual = max(1, options.memtable_bytes // (_FLOAT32_BYTES * spec.dim))
    memtable = Memtable(spec, max(usual, n_rows))
    view = MemtableView(memtable=memtable, n_rows=0, live=None, n_live=0)
    return replace(snapshot, generation=snapshot.generation + 1, memtables=(*snapshot.memtables, view))


def apply_insert(snapshot: Snapshot, batch: Batch, seqno: int, *, is_new: bool = False) -> Snapshot:
    """Rows of `batch` in the active memtable; older rows of the same keys dead. The rows must fit.

    `is_new` says that there are none, because the caller has looked.
    """
    views = list(snapshot.views) if is_new else _killed(snapshot, batch.fingerprints)[0]
    active = views[-1]
    assert isinstance(active, MemtableView)
    active.memtable.append(batch)
    return snapshot.with_views((*views[:-1], active.grown()), seqno)


def apply_delete(snapshot: Snapshot, fingerprints: NDArray[np.uint64], seqno: int) -> tuple[Snapshot, int]:
    """Rows of the given keys dead, and how many were alive; keys that are not there are no error."""
    views, n_killed = _killed(snapshot, fingerprints)
    return snapshot.with_views(tuple(views), seqno), n_killed


def _killed(snapshot: Snapshot, fingerprints: NDArray[np.uint64]) -> tuple[list[View], int]:
    views = list(snapshot.views)
    n_killed = 0
    for number, (_, found) in enumerate(find_live(snapshot.views, fingerprints)):
        # a caller may name a key twice, but its row dies once
        rows = np.unique(found)
        if len(rows):
            views[number] = views[number].without(rows)
            n_killed += len(rows)
    return views, n_killed
