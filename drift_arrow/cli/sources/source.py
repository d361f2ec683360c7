"""What every file format offers to the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa


class Source(Protocol):
    """Rows of one file. A reader never holds more than one batch, whatever the size of the file."""

    @property
    def schema(self) -> pa.Schema:
        """Columns that the batches have."""

    @property
    def original_schema(self) -> pa.Schema:
        """Columns as their writer had them in memory; the batches can be cast to it without loss."""

    @property
    def n_rows(self) -> int | None:
        """Rows of the file, or None where only reading it all would tell."""

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows in file order; `rows` is a wish that formats with their own batches ignore."""

    def close(self) -> None:
        """Let go of the file, before the file itself is closed."""
