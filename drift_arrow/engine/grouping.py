"""Groups of rows: those with the same value of a column, numbered over all segments and memtables of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_arrow.engine.local_groups import LocalGroups
from drift_arrow.engine.snapshot import SegmentView
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.row_space import RowSpace
    from drift_arrow.engine.snapshot import View
    from drift_arrow.engine.spec import CollectionSpec


@dataclass(frozen=True, slots=True, eq=False)
class RowGroups:
    """The group of every row.

    Parameters
    ----------
    of_row : (n_ids,) int32
        By global row id, in [0, n_groups).
    n_groups : int
        Distinct values; null is one of them.
    """

    of_row: NDArray[np.int32]
    n_groups: int


def check_groupable(column: str, spec: CollectionSpec) -> None:
    """Raise InvalidArgumentError unless rows can be grouped by a column."""
    spec.check_columns([column])
    kind = spec.schema.field(column).type
    try:
        _encode(pa.chunked_array([], type=kind))
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        message = f"rows cannot be grouped by lists, structs or vectors; column={column!r} type={kind}"
        raise InvalidArgumentError(message) from error


def group_rows(space: RowSpace, column: str) -> RowGroups:
    """Number the values of `column` among all rows, dead ones included.

    Notes
    -----
    O(rows) the first time, O(distinct values) and a copy of 4 bytes per row from then on: the numbers of the column
    that was last grouped by stay with each segment.
    """
    parts = [_local_groups(view, column) for view in space.views]
    values = pa.chunked_array([part.values for part in parts])
    numbers = _encode(values)
    stops = np.cumsum([len(part.values) for part in parts])
    of_row = np.zeros(int(space.bases[-1]) + space.views[-1].n_rows, dtype=np.int32)
    for part, base, stop in zip(parts, space.bases.tolist(), stops.tolist(), strict=True):
        own = numbers.indices[stop - len(part.values) : stop].to_numpy()
        of_row[base : base + len(part.codes)] = own[part.codes]
    return RowGroups(of_row, max(1, len(numbers.dictionary)))


def _local_groups(view: View, column: str) -> LocalGroups:
    kept = view.groups.get(column) if isinstance(view, SegmentView) else None
    if kept is not None:
        return kept
    encoded = _encode(view.columns([column]).column(0))
    found = LocalGroups(encoded.indices.to_numpy(), encoded.dictionary)
    if isinstance(view, SegmentView):
        view.groups.clear()
        view.groups[column] = found
    return found


def _encode(values: pa.ChunkedArray) -> pa.DictionaryArray:
    """One array of distinct values, null among them, and places in it."""
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if pa.types.is_float32(values.type) or pa.types.is_float64(values.type):
        # -0.0 becomes 0.0, its equal
        values = pc.add(values, pa.scalar(0, values.type))
    encoded = pc.dictionary_encode(values, null_encoding="encode")
    if not encoded.num_chunks:
        return pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], values.type))
    return encoded.combine_chunks()
