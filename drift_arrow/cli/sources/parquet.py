"""Rows of a Parquet file."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator

_ARROW_SCHEMA: Final = b"ARROW:schema"


class ParquetSource:
    """Reads a row group column by column, a batch at a time."""

    def __init__(self, file: Any) -> None:
        # Without pre_buffer=False every row group that was read would stay in memory.
        self._file = pq.ParquetFile(file, pre_buffer=False)

    @property
    def schema(self) -> pa.Schema:
        """Columns as the footer declares them."""
        return self._file.schema_arrow

    @property
    def original_schema(self) -> pa.Schema:
        """Columns as their writer had them in memory, if that was Arrow: Parquet lacks some of its types."""
        stored = self._file.metadata.metadata or {}
        if _ARROW_SCHEMA not in stored:
            return self.schema
        return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(stored[_ARROW_SCHEMA])))

    @property
    def n_rows(self) -> int:
        """Rows as the footer counts them."""
        return int(self._file.metadata.num_rows)

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Batches of at most `rows` rows, each of one row group, whose dictionaries Arrow cannot join."""
        for number in range(self._file.num_row_groups):
            yield from self._file.iter_batches(batch_size=rows, row_groups=[number])

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
