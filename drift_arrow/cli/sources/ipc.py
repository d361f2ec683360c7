"""Rows of an Arrow IPC file (Feather V2) or stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE_MAGIC: Final = b"ARROW1"


class IpcSource:
    """Tells the two IPC formats apart by the first bytes; their batches are those of the writer."""

    def __init__(self, file: Any) -> None:
        is_file = file.read(len(FILE_MAGIC)) == FILE_MAGIC
        file.seek(0)
        self._reader = pa.ipc.open_file(file) if is_file else pa.ipc.open_stream(file)

    @property
    def schema(self) -> pa.Schema:
        """Columns as the writer declared them."""
        return self._reader.schema

    @property
    def original_schema(self) -> pa.Schema:
        """The same."""
        return self.schema

    @property
    def n_rows(self) -> None:
        """Unknown: neither format counts its rows."""

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The writer's batches cut into pieces of at most `rows` rows."""
        for batch in self._stored_batches():
            for start in range(0, batch.num_rows, rows):
                yield batch.slice(start, rows)

    def _stored_batches(self) -> Iterator[pa.RecordBatch]:
        if isinstance(self._reader, pa.RecordBatchReader):
            yield from self._reader
            return
        for number in range(self._reader.num_record_batches):
            yield self._reader.get_batch(number)

    def close(self) -> None:
        """Nothing to let go of: both readers read only when asked."""
