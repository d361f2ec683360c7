"""Global row ids: one number for every row of a snapshot, whichever segment or memtable holds it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from drift_arrow.engine.payload_table import take_across
from drift_arrow.engine.prefilter import KEPT, filter_view
from drift_arrow.format.take import take_rows
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.prefilter import Filtered
    from drift_arrow.engine.snapshot import Snapshot, View
    from drift_arrow.kernels.bitmap import Bits

_ALIGN_ROWS: Final = 64
_MOST_CONDITIONS: Final = 5
"""That a snapshot remembers the rows of, each by two bits per row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _AllowedRows:
    """The attributes of a `RowSpace`; without its snapshot, which may remember them."""

    bases: NDArray[np.int64]
    filtered: list[Filtered]
    allowed: list[Bits | None]
    n_allowed: list[int]
    segment_bits: Bits | None
    alone: int | None
    memo: dict[type, object] = field(default_factory=dict)


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
    bases : (views,) int64
        Global id of the first row of each view.
    filtered : list of Filtered
        What the predicate lets pass of each view.
    allowed : list of packed bits or None
        Rows of each view that are alive and pass; None for all.
    n_allowed : list of int
        How many these are.
    segment_bits : packed bits or None
        Those of all segments by global id.
    alone : int or None
        Number of the only view that has rows, if there is one.
    memo : dict
        What searches found out about these rows, by type; kept as long as they are.

    Notes
    -----
    Segments keep the numbering of their `SegmentSet`; memtables follow, each at a multiple of 64.
    """

    def __init__(self, snapshot: Snapshot, predicate: Predicate | None) -> None:
        self.snapshot = snapshot
        self.views: tuple[View, ...] = snapshot.views
        rows = _allowed_rows(snapshot, predicate)
        self.bases, self.filtered, self.allowed = rows.bases, rows.filtered, rows.allowed
        self.n_allowed, self.segment_bits, self.alone = rows.n_allowed, rows.segment_bits, rows.alone
        self.memo = rows.memo

    @property
    def n_segments(self) -> int:
        """How many of the views are segments; they come first."""
        return len(self.snapshot.segments)

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
        if not len(ids):
            return self.views[-1].take(ids, names)
        if self.alone is not None:
            return self.views[self.alone].take(ids - self.bases[self.alone], names)
        owners = self._owners(ids)
        first = int(owners[0])
        if (owners == first).all():
            return self.views[first].take(ids - self.bases[first], names)
        in_segments = owners < self.n_segments
        together = self._take_across(ids[in_segments], names) if in_segments.any() else None
        if together is not None and in_segments.all():
            return together
        parts, places = [], []
        if together is not None:
            parts, places = [together], [np.flatnonzero(in_segments)]
            owners = np.where(in_segments, -1, owners)
        for owner in np.unique(owners).tolist():
            if owner >= 0:
                mine = np.flatnonzero(owners == owner)
                parts.append(self.views[owner].take(ids[mine] - self.bases[owner], names))
                places.append(mine)
        return take_rows(pa.concat_tables(parts), np.argsort(np.concatenate(places)))

    def columns(self, ids: NDArray[np.int64], names: tuple[str, ...]) -> list[pa.Array | pa.ChunkedArray]:
        """As `take`, without a table around the columns."""
        if len(ids) and self.alone is not None and self.alone < self.n_segments:
            # nearly all of a search in a collection at rest is spent on a few rows: no look at who owns them
            found = take_across(self.snapshot, ids, names)
            if found is not None:
                return found
        columns: list[pa.ChunkedArray] = self.take(ids, list(names)).columns
        return columns

    def _take_across(self, ids: NDArray[np.int64], names: list[str]) -> pa.Table | None:
        columns, schema = take_across(self.snapshot, ids, tuple(names)), self.snapshot.segments[0].reader.schema
        if columns is None:
            return None
        fields = [schema.field(name) for name in names]
        return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=schema.metadata))

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


class _Conditions(dict["bytes | None", _AllowedRows]):
    """What a snapshot remembers, by `Predicate.identity`; None is no condition."""


def _allowed_rows(snapshot: Snapshot, predicate: Predicate | None) -> _AllowedRows:
    known = snapshot.memo.get(_Conditions)
    if known is None:
        known = snapshot.memo[_Conditions] = _Conditions()
    assert isinstance(known, _Conditions)
    identity = None if predicate is None else predicate.identity
    if predicate is not None and identity is None:
        return _find_allowed(snapshot, predicate)
    rows = known.get(identity)
    if rows is not None:
        return rows
    rows = _find_allowed(snapshot, predicate)
    if len(known) >= _MOST_CONDITIONS:
        known.clear()
    # whoever asks again reads nothing
    filtered = [
        replace(part, how=KEPT, n_runs=0, n_pruned=0, n_certain=0) if part.bits is not None else part
        for part in rows.filtered
    ]
    known[identity] = replace(rows, filtered=filtered)
    return rows


def _find_allowed(snapshot: Snapshot, predicate: Predicate | None) -> _AllowedRows:
    views, segments = snapshot.views, snapshot.segment_set
    sizes = [-(-view.n_rows // _ALIGN_ROWS) * _ALIGN_ROWS for view in snapshot.memtables]
    starts = segments.n_ids + np.cumsum([0, *sizes])[:-1]
    filtered = [filter_view(view, predicate, snapshot.memtables[-1].memtable.spec) for view in views]
    filled = [number for number, view in enumerate(views) if view.n_rows]
    allowed = [bitmap.intersect(view.live, part.bits) for view, part in zip(views, filtered, strict=True)]
    return _AllowedRows(
        bases=np.asarray([*segments.bases, *starts], dtype=np.int64),
        filtered=filtered,
        allowed=allowed,
        n_allowed=[
            view.n_rows if bits is None else bitmap.count(bits, view.n_rows)
            for view, bits in zip(views, allowed, strict=True)
        ],
        segment_bits=_joined(snapshot, allowed),
        alone=filled[0] if len(filled) == 1 else None,
    )


def _joined(snapshot: Snapshot, allowed: list[Bits | None]) -> Bits | None:
    segments = snapshot.segment_set
    if all(bits is None for bits in allowed[: len(snapshot.segments)]):
        return None
    joined = np.zeros(segments.n_ids // 8, dtype=np.uint8)
    for view, base, bits in zip(snapshot.segments, segments.bases, allowed, strict=False):
        part = bitmap.full(view.n_rows) if bits is None else bits
        joined[base // 8 : base // 8 + len(part)] = part
    return joined
