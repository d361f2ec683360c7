"""Payload of few rows of several segments, by one compiled call for each column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from drift_arrow.format.column_rows import is_sparse, take_known
from drift_arrow.kernels.row_table import RowTable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class _Joined:
    """The table of a column, and those of the segments that it was made of; they are replaced as blocks are opened."""

    parts: tuple[RowTable, ...]
    table: RowTable


class _Columns(dict[str, _Joined]):
    """What a snapshot remembers, by column."""


def take_across(snapshot: Snapshot, ids: NDArray[np.int64], names: list[str]) -> pa.Table | None:
    """Rows of the segments of a snapshot in their order; None if they are many, or if it takes opening blocks.

    Parameters
    ----------
    snapshot : Snapshot
        Remembers the tables.
    ids : (m,) int64
        Global ids of rows of segments, at least one.
    names : list of str
        Columns of the result.

    Notes
    -----
    So a search costs the same whether its winners lie in one segment or in many. Whoever gets None asks the segments
    one by one, which opens blocks, and finds out what is damaged.
    """
    if not is_sparse(len(ids), snapshot.segment_set.n_ids):
        return None
    schema = snapshot.segments[0].reader.schema
    fields, columns = [schema.field(name) for name in names], []
    for field in fields:
        table = _table(snapshot, field.name)
        try:
            column = None if table is None else take_known(table, field.type, ids)
        except ValueError:
            return None
        if column is None:
            return None
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, metadata=schema.metadata))


def _table(snapshot: Snapshot, name: str) -> RowTable | None:
    """Of a column, by global row id; None if a segment has no table of it."""
    parts = []
    for view in snapshot.segments:
        part = view.reader.column_table(name)
        if part is None:
            return None
        parts.append(part)
    known = snapshot.memo.setdefault(_Columns, _Columns())
    assert isinstance(known, _Columns)
    joined = known.get(name)
    if joined is None or any(old is not new for old, new in zip(joined.parts, parts, strict=True)):
        joined = known[name] = _Joined(tuple(parts), _join(snapshot, parts))
    return joined.table


def _join(snapshot: Snapshot, parts: list[RowTable]) -> RowTable:
    bases = snapshot.segment_set.bases
    firsts = [part.first_rows[:-1] + base for part, base in zip(parts, bases, strict=True)]
    lines = [line for part in parts for line in part.blocks]
    return RowTable.of(np.append(np.concatenate(firsts), bases[-1] + parts[-1].first_rows[-1]), lines, parts)
