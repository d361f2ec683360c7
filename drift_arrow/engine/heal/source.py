"""Rows that leave a segment or a memtable for a new segment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from drift_arrow.engine.snapshot import SegmentView, live_mask

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import View
    from drift_arrow.engine.spec import CollectionSpec

_SPARSE: Final = 4
"""Of as many rows fewer than one is wanted: then they are picked, else all are read in order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """What leaves one view.

    Parameters
    ----------
    view : View
        No other source of the same relocation has it.
    rows : (n,) int64
        Rows of the view that are alive, ascending.
    """

    view: View
    rows: NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovingRows:
    """The rows of all sources, laid end to end.

    Parameters
    ----------
    vectors : (n, dim) float16, float32 or float64
        As they are stored.
    fingerprints : (n, 2) uint64
    table : pa.Table
        Payload columns; may hold rows that do not move.
    places : (n,) int64
        Row of `table` of each row.
    """

    vectors: NDArray[np.generic]
    fingerprints: NDArray[np.uint64]
    table: pa.Table
    places: NDArray[np.int64]


def whole(view: View) -> Source:
    """All live rows of a view."""
    return Source(view=view, rows=np.flatnonzero(live_mask(view)))


def identity(view: View) -> int:
    """Equal for all views of one segment or memtable that is held open."""
    return id(view.reader if isinstance(view, SegmentView) else view.memtable)


def read_sources(sources: Sequence[Source], spec: CollectionSpec) -> MovingRows:
    """Read what a new segment is made of; O(rows that move), and O(rows) for views of which many move."""
    vectors, tables, places, n_read = [], [], [], 0
    for source in sources:
        is_sparse = len(source.rows) * _SPARSE < source.view.n_rows
        table, matrix = (_picked if is_sparse else _all)(source, spec)
        vectors.append(matrix)
        tables.append(table)
        places.append(n_read + (np.arange(len(source.rows)) if is_sparse else source.rows))
        n_read += table.num_rows
    return MovingRows(
        vectors=vectors[0] if len(vectors) == 1 else np.concatenate(vectors),
        fingerprints=np.concatenate([_fingerprints(source.view)[source.rows] for source in sources]),
        table=pa.concat_tables(tables),
        places=np.concatenate(places),
    )


def _all(source: Source, spec: CollectionSpec) -> tuple[pa.Table, NDArray[np.generic]]:
    view = source.view
    if isinstance(view, SegmentView):
        vectors = view.reader.raw_vectors(0, view.n_rows)
    else:
        vectors = view.memtable.raw_vectors(view.n_rows)
    is_whole = len(source.rows) == view.n_rows
    return view.columns(spec.payload_schema.names), vectors if is_whole else vectors[source.rows]


def _picked(source: Source, spec: CollectionSpec) -> tuple[pa.Table, NDArray[np.generic]]:
    table = source.view.take(source.rows, [*spec.payload_schema.names, spec.vector])
    column = table.column(spec.vector).combine_chunks()
    flat: NDArray[np.generic] = column.flatten().to_numpy(zero_copy_only=True)
    return table.select(spec.payload_schema.names), flat.reshape(len(source.rows), spec.dim)


def _fingerprints(view: View) -> NDArray[np.uint64]:
    if not isinstance(view, SegmentView):
        return view.memtable.fingerprints[: view.n_rows]
    fingerprints = np.empty((view.n_rows, 2), dtype=np.uint64)
    fingerprints[view.reader.key_order] = view.reader.sorted_fingerprints
    return fingerprints
