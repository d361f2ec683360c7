"""Payload of few rows of segments: all columns of numbers by one compiled call, any other by one of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.format.column_rows import is_sparse, take_known
from drift_arrow.format.numbers import number_dtype
from drift_arrow.kernels.number_columns import NumberColumns, gather_numbers
from drift_arrow.kernels.row_table import RowTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import Snapshot

_MOST = 16
"""Selections of columns that a snapshot remembers."""


@dataclass(frozen=True, slots=True, eq=False)
class _Selection:
    """Columns by global row id, and the tables of the segments, which are replaced as blocks are opened.

    Parameters
    ----------
    parts : list of RowTable
        Of all segments of the first column, then of the second.
    kinds : list of pa.DataType
    numbers : NumberColumns
        Those of `kinds` that are numbers, in their order.
    others : list of RowTable or None
        None for numbers.
    """

    parts: list[RowTable]
    kinds: list[pa.DataType]
    numbers: NumberColumns
    others: list[RowTable | None]


class _Selections(dict[tuple[str, ...], _Selection]):
    """What a snapshot remembers, by the names of the columns."""


def take_across(snapshot: Snapshot, ids: NDArray[np.int64], names: tuple[str, ...]) -> list[pa.Array] | None:
    """Columns of rows of the segments of a snapshot; None if they are many, or if it takes opening blocks.

    Parameters
    ----------
    snapshot : Snapshot
        Remembers the tables.
    ids : (m,) int64
        Global ids of rows of segments, at least one.
    names : tuple of str

    Notes
    -----
    So a search costs the same whether its winners lie in one segment or in many. Whoever gets None asks the segments
    one by one, which opens blocks, and finds out what is damaged.
    """
    if not is_sparse(len(ids), snapshot.segment_set.n_ids):
        return None
    selection = _selection(snapshot, names)
    if selection is None:
        return None
    try:
        return _arrays(selection, ids)
    except ValueError:
        return None


def _arrays(selection: _Selection, ids: NDArray[np.int64]) -> list[pa.Array] | None:
    found = gather_numbers(selection.numbers, ids)
    if found is None:
        return None
    values, starts = pa.py_buffer(found[0]), iter(found[1])
    columns = []
    for kind, table in zip(selection.kinds, selection.others, strict=True):
        if table is None:
            columns.append(pa.Array.from_buffers(kind, len(ids), [None, values.slice(next(starts))]))
            continue
        column = take_known(table, kind, ids)
        if column is None:
            return None
        columns.append(column)
    return columns


def _selection(snapshot: Snapshot, names: tuple[str, ...]) -> _Selection | None:
    """None if a segment has no table of one of the columns."""
    parts = []
    for name in names:
        for view in snapshot.segments:
            part = view.reader.column_table(name)
            if part is None:
                return None
            parts.append(part)
    known = snapshot.memo.setdefault(_Selections, _Selections())
    assert isinstance(known, _Selections)
    selection = known.get(names)
    # in one go, because lists compare what is the same object without a look at it
    if selection is None or selection.parts != parts:
        if len(known) >= _MOST:
            known.clear()
        selection = known[names] = _select(snapshot, names, parts)
    return selection


def _select(snapshot: Snapshot, names: tuple[str, ...], parts: list[RowTable]) -> _Selection:
    n_segments, schema = len(snapshot.segments), snapshot.segments[0].reader.schema
    kinds = [schema.field(name).type for name in names]
    numbers: list[tuple[RowTable, np.dtype[np.generic]]] = []
    others: list[RowTable | None] = []
    for place, kind in enumerate(kinds):
        table = _join(snapshot, parts[place * n_segments : (place + 1) * n_segments])
        dtype = number_dtype(kind)
        if dtype is not None and NumberColumns.supports(table, dtype):
            numbers.append((table, dtype))
            others.append(None)
        else:
            others.append(table)
    return _Selection(parts, kinds, NumberColumns.of(numbers), others)


def _join(snapshot: Snapshot, parts: list[RowTable]) -> RowTable:
    bases = snapshot.segment_set.bases
    firsts = [part.first_rows[:-1] + base for part, base in zip(parts, bases, strict=True)]
    lines = [line for part in parts for line in part.blocks]
    return RowTable.of(np.append(np.concatenate(firsts), bases[-1] + parts[-1].first_rows[-1]), lines, parts)
