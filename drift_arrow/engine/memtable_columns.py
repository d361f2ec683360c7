"""Columns of a memtable: batches as they came, joined while they are small."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.format.plain import plain_type
from drift_arrow.format.take import take_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

_JOINED_ROWS: Final = 32_768
_JOINED_BYTES: Final = 16 << 20
_CARRIED: Final = 3
"""Batches before the last one that are joined with it: joining costs by the call, and looping over a batch less."""


class MemtableColumns:
    """Record batches in the order of their arrival.

    Parameters
    ----------
    schema : pyarrow.Schema
        Of every batch.

    Notes
    -----
    One writer appends while readers read the rows of their snapshot. Four batches at the end of which none is larger
    than the last are joined, as digits of a counter are carried: a row is copied a logarithmic number of times, and the
    batches, over which every read loops, stay few even if rows come one by one. Both tuples are replaced by one
    assignment, and a joined batch holds the rows of its parts in their places, so readers need no lock.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._joins = all(_is_joinable(field.type) for field in schema)
        self._parts: tuple[tuple[pa.RecordBatch, ...], tuple[int, ...]] = ((), ())

    @property
    def nbytes(self) -> int:
        """Bytes of all batches."""
        return sum(batch.nbytes for batch in self._parts[0])

    def append(self, batch: pa.RecordBatch) -> None:
        """Add rows at the end. Only the writer calls it."""
        batches, starts = self._parts
        start = starts[-1] + batches[-1].num_rows if batches else 0
        kept = len(batches)
        while kept >= _CARRIED and (joined := self._join([*batches[kept - _CARRIED : kept], batch])) is not None:
            kept -= _CARRIED
            batch, start = joined, starts[kept]
        self._parts = ((*batches[:kept], batch), (*starts[:kept], start))

    def first(self, n_rows: int) -> pa.Table:
        """The first `n_rows` rows of all columns."""
        batches, starts = self._parts
        n_batches = bisect_right(starts, n_rows - 1) if n_rows else 0
        return pa.Table.from_batches(batches[:n_batches], schema=self._schema).slice(0, n_rows)

    def take(self, rows: NDArray[np.int64], names: list[str]) -> pa.Table:
        """The given rows, at least one, in that order, of the columns `names`; touches only the batches of these."""
        batches, starts = self._parts
        first_rows = np.asarray(starts, dtype=np.int64)
        owners = np.searchsorted(first_rows, rows, side="right") - 1
        used, local_owner = np.unique(owners, return_inverse=True)
        sizes = np.asarray([batches[owner].num_rows for owner in used.tolist()], dtype=np.int64)
        local_starts = np.cumsum(sizes) - sizes
        positions = local_starts[local_owner] + rows - first_rows[owners]
        parts = [batches[owner].select(names) for owner in used.tolist()]
        return take_rows(pa.Table.from_batches(parts), positions)

    def _join(self, batches: list[pa.RecordBatch]) -> pa.RecordBatch | None:
        """All as one batch, or None where it does not pay."""
        sizes = [batch.num_rows for batch in batches]
        if not self._joins or max(sizes) > sizes[-1] or sum(sizes) > _JOINED_ROWS:
            return None
        return pa.concat_batches(batches) if sum(batch.nbytes for batch in batches) <= _JOINED_BYTES else None


def _is_joinable(kind: pa.DataType) -> bool:
    """Whether arrays of a type are joined by copying; dictionaries are numbered anew, and their order may be lost."""
    if isinstance(kind, pa.BaseExtensionType):
        return _is_joinable(kind.storage_type)
    if pt.is_dictionary(kind) or plain_type(kind) != kind:
        return False
    return all(_is_joinable(kind.field(i).type) for i in range(kind.num_fields))
