"""The place of one running table function in its rows."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from drift_arrow.duckdb_udf import capi
from drift_arrow.duckdb_udf.converter import ColumnType, fill_vector

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from drift_arrow.duckdb_udf.source import Source


class Cursor:
    """Hands the rows of a source to DuckDB, one chunk per call.

    Parameters
    ----------
    source : Source
    column_types : list of ColumnType
        One per field of `source.schema`.
    wanted : list of int
        Field numbers that DuckDB asked for, in its order; a number past the schema is a virtual column of DuckDB's
        (COUNT(*) asks for one), which stays untouched.
    """

    def __init__(self, source: Source, column_types: list[ColumnType], wanted: list[int]) -> None:
        names = source.schema.names
        self._columns = [
            (position, names[number], column_types[number])
            for position, number in enumerate(wanted)
            if number < len(names)
        ]
        self._slices = _slices(source, [name for _, name, _ in self._columns])
        self._lock = threading.Lock()

    def fill(self, chunk: int) -> None:
        """Fill a DuckDB data chunk with the next rows; none are left when its size is 0.

        Notes
        -----
        The source starts to read at the first call. DuckDB may call from different threads, one at a time by
        contract; the lock keeps that from being a matter of trust.
        """
        with self._lock:
            rows = next(self._slices, None)
        if rows is None:
            capi.data_chunk_set_size(chunk, 0)
            return
        for position, name, column_type in self._columns:
            fill_vector(capi.data_chunk_get_vector(chunk, position), rows.column(name), column_type)
        capi.data_chunk_set_size(chunk, rows.num_rows)


def _slices(source: Source, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """The batches of a source, cut to what one DuckDB chunk holds."""
    most = int(capi.vector_size())
    for batch in source.batches(list(dict.fromkeys(columns))):
        for start in range(0, batch.num_rows, most):
            yield batch.slice(start, most)
