"""Rows of a Parquet file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


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
    def n_rows(self) -> int:
        """Rows as the footer counts them."""
        return int(self._file.metadata.num_rows)

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """Batches of at most `rows` rows."""
        yield from self._file.iter_batches(batch_size=rows)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
