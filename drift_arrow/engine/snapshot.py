"""The immutable read view: segments and memtables with their live rows at one moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from drift_arrow.engine.mask_cache import MaskCache
from drift_arrow.engine.segment_set import SegmentSet
from drift_arrow.engine.signs.observations import Observations
from drift_arrow.kernels import bitmap
from drift_arrow.kernels.keys import find_sorted

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from drift_arrow.engine.local_groups import LocalGroups
    from drift_arrow.engine.memtable import Memtable
    from drift_arrow.format.manifest import Manifest, SegmentEntry
    from drift_arrow.format.segment_reader import SegmentReader


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentView:
    """A segment as one snapshot sees it.

    Parameters
    ----------
    entry : SegmentEntry
        As the manifest names it.
    reader : SegmentReader
        Shared by all snapshots that hold the segment.
    live : packed bits or None
        Bit r is set if row r is alive; None when all are. Replaced, never changed (copy on write).
    n_live : int
        Rows that are alive.
    masks : MaskCache
        Of conditions on its rows, dead ones included; shared by all views after this one.
    groups : dict of str to LocalGroups
        Of the column that its rows were last grouped by; shared too.
    """

    entry: SegmentEntry
    reader: SegmentReader
    live: NDArray[np.uint8] | None
    n_live: int
    masks: MaskCache = field(default_factory=MaskCache)
    groups: dict[str, LocalGroups] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Rows, dead ones included."""
        return self.reader.n_rows

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Row of each key, dead or alive, or -1."""
        rows = np.full(len(fingerprints), -1, dtype=np.int64)
        # most keys of a batch are in no segment: the filter says so in one cache line instead of a search
        maybe = np.flatnonzero(self.reader.maybe_contains(fingerprints))
        if len(maybe):
            rows[maybe] = find_sorted(self.reader.sorted_fingerprints, self.reader.key_order, fingerprints[maybe])
        return rows

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """The given rows, in that order."""
        return self.reader.take(rows, names)

    def columns(self, names: list[str]) -> pa.Table:
        """All rows, dead ones included, in row order."""
        return self.reader.read_columns(names)

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, dim) float32 vectors of the given rows."""
        return self.reader.vectors(rows)

    def without(self, rows: NDArray[np.int64]) -> SegmentView:
        """The view after this one, with live `rows` dead."""
        live = bitmap.full(self.n_rows) if self.live is None else self.live
        return replace(self, live=bitmap.clear(live, rows), n_live=self.n_live - len(rows))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MemtableView:
    """The first `n_rows` rows of a memtable as one snapshot sees them; fields as in `SegmentView`."""

    memtable: Memtable
    n_rows: int
    live: NDArray[np.uint8] | None
    n_live: int

    def find(self, fingerprints: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Newest row of each key, dead or alive, or -1. Only the writer may call this."""
        return self.memtable.find(fingerprints)

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """The given rows, in that order."""
        return self.memtable.take(rows, names)

    def columns(self, names: list[str]) -> pa.Table:
        """All rows, dead ones included, in row order."""
        return self.memtable.columns(names, self.n_rows)

    def vectors(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, dim) float32 vectors of the given rows."""
        return self.memtable.matrix[rows]

    def without(self, rows: NDArray[np.int64]) -> MemtableView:
        """The view after this one, with live `rows` dead."""
        live = bitmap.full(self.n_rows) if self.live is None else self.live
        return replace(self, live=bitmap.clear(live, rows), n_live=self.n_live - len(rows))

    def grown(self) -> MemtableView:
        """The view after this one, with the rows that the memtable gained since."""
        n_new = self.memtable.n_rows - self.n_rows
        live = None if self.live is None else bitmap.extended(self.live, self.n_rows, self.memtable.n_rows)
        return replace(self, n_rows=self.n_rows + n_new, live=live, n_live=self.n_live + n_new)


View = SegmentView | MemtableView


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Snapshot:
    """All rows of a collection at one moment; never changes, so readers take no lock.

    Parameters
    ----------
    generation : int
        Order of snapshots within the process.
    seqno : int
        Newest operation that it contains.
    manifest : Manifest
        The committed state that it builds on.
    segments : tuple of SegmentView
        In the manifest's order.
    memtables : tuple of MemtableView
        Frozen ones, oldest first, then the active one.
    segment_set : SegmentSet
        The bucket table over `segments`; shared while they stay the same.
    observations : Observations
        Of the searches of the collection; shared by its snapshots.
    memo : dict
        What searches found out about it, by type. Nothing in it may name the snapshot: a cycle would keep its files.
    """

    generation: int
    seqno: int
    manifest: Manifest
    segments: tuple[SegmentView, ...]
    memtables: tuple[MemtableView, ...]
    segment_set: SegmentSet = field(default_factory=lambda: SegmentSet.of(()))
    observations: Observations = field(default_factory=Observations)
    memo: dict[type, object] = field(default_factory=dict, init=False, repr=False)

    @property
    def n_live(self) -> int:
        """Rows alive."""
        return sum(view.n_live for view in self.views)

    @property
    def views(self) -> tuple[View, ...]:
        """Segments, then memtables: the order of global row ids."""
        return (*self.segments, *self.memtables)

    def with_views(self, views: tuple[View, ...], seqno: int) -> Snapshot:
        """The next snapshot, with as many views in the same order, of the same rows."""
        return replace(
            self,
            generation=self.generation + 1,
            seqno=seqno,
            segments=tuple(view for view in views if isinstance(view, SegmentView)),
            memtables=tuple(view for view in views if isinstance(view, MemtableView)),
        )


def find_live(
    views: tuple[View, ...], fingerprints: NDArray[np.uint64]
) -> list[tuple[NDArray[np.intp], NDArray[np.int64]]]:
    """For each view, which of the keys it holds alive and in which rows; a key is alive in one view at most."""
    found = []
    for view in views:
        rows = view.find(fingerprints)
        wanted = np.flatnonzero(rows >= 0)
        if view.live is not None and len(wanted):
            wanted = wanted[bitmap.test(view.live, rows[wanted])]
        found.append((wanted, rows[wanted]))
    return found


def live_mask(view: View) -> NDArray[np.bool_]:
    """(n_rows,) bool: which rows of a view are alive."""
    if view.live is None:
        return np.ones(view.n_rows, dtype=np.bool_)
    return bitmap.to_mask(view.live, view.n_rows)
