"""Where compiled code finds the vectors of all rows of a snapshot, segments and memtables alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from drift_arrow.kernels.memory import address_of
from drift_arrow.kernels.row_table import RowTable, plain_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.snapshot import Snapshot


@dataclass(frozen=True, slots=True, eq=False)
class _Joined:
    """The table, and those of the segments that it was made of; they are replaced when blocks are opened."""

    parts: tuple[RowTable | None, ...]
    table: RowTable


def vector_table(snapshot: Snapshot, bases: NDArray[np.int64]) -> RowTable | None:
    """Vectors by global row id; None if a segment does not store them as float32.

    Parameters
    ----------
    snapshot : Snapshot
        Remembers the table.
    bases : (views,) int64
        Global id of the first row of each view.

    Notes
    -----
    Blocks that nobody asked for yet are absent; `RowSpace.vectors` opens those of the rows that it is asked for.
    """
    parts = tuple([view.reader.vector_table for view in snapshot.segments])
    known = snapshot.memo.get(_Joined)
    if isinstance(known, _Joined) and all(old is new for old, new in zip(known.parts, parts, strict=True)):
        return known.table
    joined = _join(snapshot, bases.tolist(), parts)
    if joined is not None:
        snapshot.memo[_Joined] = _Joined(parts, joined)
    return joined


def _join(snapshot: Snapshot, bases: list[int], parts: tuple[RowTable | None, ...]) -> RowTable | None:
    first_rows: list[NDArray[np.int64]] = []
    lines: list[NDArray[np.int64] | None] = []
    owners: list[Any] = []
    for base, part in zip(bases, parts, strict=False):
        if part is None:
            return None
        first_rows.append(part.first_rows[:-1] + base)
        lines.extend(part.blocks)
        owners.append(part)
    for base, view in zip(bases[len(parts) :], snapshot.memtables, strict=True):
        matrix = view.memtable.matrix
        first_rows.append(np.array([base]))
        lines.append(plain_line(view.n_rows * matrix.shape[1], address_of(matrix)))
        owners.append(matrix)
    end = bases[-1] + snapshot.views[-1].n_rows
    return RowTable.of(np.concatenate([*first_rows, np.array([end])]), lines, owners)
