"""Global row ids: one number for every row of a snapshot, whichever segment or memtable holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.engine.prefilter import filter_view
from drift_arrow.format.take import take_rows
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.snapshot import Snapshot, View

_ALIGN_ROWS = 64


class RowSpace:
    """The rows that one search may return.

    Parameters
    ----------
    snapshot : Snapshot
        Pinned by this object for the time of the search.
    predicate : Predicate or None
        Evaluated here, once.

    Attributes
    ----------
    filtered : list of Filtered
        What the predicate lets pass of each view.

    Notes
    -----
    Segments keep the numbering of their `SegmentSet`; memtables follow, each at a multiple of 64.
    """

    def __init__(self, snapshot: Snapshot, predicate: Predicate | None) -> None:
        self.snapshot = snapshot
        self.views: tuple[View, ...] = snapshot.views
        sizes = [-(-view.n_rows // _ALIGN_ROWS) * _ALIGN_ROWS for view in snapshot.memtables]
        starts = snapshot.segment_set.n_ids + np.cumsum([0, *sizes])[:-1]
        self.bases = np.asarray([*snapshot.segment_set.bases, *starts], dtype=np.int64)
        spec = snapshot.memtables[-1].memtable.spec
        self.filtered = [filter_view(view, predicate, spec) for view in self.views]
        self.allowed = [
            bitmap.intersect(view.live, part.bits) for view, part in zip(self.views, self.filtered, strict=True)
        ]
        self.n_allowed = [
            view.n_rows if bits is None else bitmap.count(bits, view.n_rows)
            for view, bits in zip(self.views, self.allowed, strict=True)
        ]

    @property
    def n_segments(self) -> int:
        """How many of the views are segments; they come first."""
        return len(self.snapshot.segments)

    def segment_bits(self) -> NDArray[np.uint8] | None:
        """Allowed rows of all segments as packed bits by global id, or None if all are."""
        if all(bits is None for bits in self.allowed[: self.n_segments]):
            return None
        joined = np.zeros(self.snapshot.segment_set.n_ids // 8, dtype=np.uint8)
        for view, base, bits in zip(self.snapshot.segments, self.bases.tolist(), self.allowed, strict=False):
            part = bitmap.full(view.n_rows) if bits is None else bits
            joined[base // 8 : base // 8 + len(part)] = part
        return joined

    def allowed_ids(self) -> NDArray[np.int64]:
        """Ids of all allowed rows, ascending."""
        parts = []
        for view, base, bits in zip(self.views, self.bases.tolist(), self.allowed, strict=True):
            rows = np.arange(view.n_rows) if bits is None else np.flatnonzero(bitmap.to_mask(bits, view.n_rows))
            parts.append(rows + base)
        return np.concatenate(parts)

    def vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """(m, dim) float32 vectors of the given rows."""
        owners = self._owners(ids)
        if len(ids) and (owners == owners[0]).all():
            alone: NDArray[np.float32] = self.views[owners[0]].vectors(ids - self.bases[owners[0]])
            return alone
        matrix = np.empty((len(ids), self._dim), dtype=np.float32)
        for owner in np.unique(owners).tolist():
            mine = owners == owner
            matrix[mine] = self.views[owner].vectors(ids[mine] - self.bases[owner])
        return matrix

    def take(self, ids: NDArray[np.int64], names: list[str]) -> pa.Table:
        """The given rows, in that order, of the columns `names`."""
        owners = self._owners(ids)
        if not len(ids):
            return self.views[-1].take(ids, names)
        first = int(owners[0])
        if (owners == first).all():
            return self.views[first].take(ids - self.bases[first], names)
        used = np.unique(owners).tolist()
        parts, places = [], []
        for owner in used:
            mine = np.flatnonzero(owners == owner)
            parts.append(self.views[owner].take(ids[mine] - self.bases[owner], names))
            places.append(mine)
        return take_rows(pa.concat_tables(parts), np.argsort(np.concatenate(places)))

    @property
    def _dim(self) -> int:
        return int(self.snapshot.memtables[-1].memtable.spec.dim)

    def _owners(self, ids: NDArray[np.int64]) -> NDArray[np.intp]:
        return np.searchsorted(self.bases, ids, side="right") - 1


def take_found(
    snapshot: Snapshot, found: list[tuple[NDArray[np.intp], NDArray[np.int64]]], names: list[str]
) -> pa.Table:
    """The rows that `find_live` found, in the order of the keys it was asked for."""
    space = RowSpace(snapshot, None)
    places = np.concatenate([wanted for wanted, _ in found])
    ids = np.concatenate([rows + base for (_, rows), base in zip(found, space.bases.tolist(), strict=True)])
    return space.take(ids[np.argsort(places, kind="stable")], names)
