"""Tables into a Parquet or an Arrow IPC file, one at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Write = Callable[[pa.Table], object]


@contextmanager
def parquet_writer(path: str, schema: pa.Schema) -> Iterator[Write]:
    """Writes each table as one row group, compressed by zstd.

    Raises
    ------
    InvalidArgumentError
        Parquet has no such type.
    """
    try:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            yield lambda table: writer.write_table(table, row_group_size=max(1, table.num_rows))
    except pa.ArrowNotImplementedError as error:
        raise InvalidArgumentError(
            f"Parquet cannot hold a column: use --arrow, or leave it out by --select; cause={error}"
        ) from error


@contextmanager
def arrow_writer(path: str, schema: pa.Schema) -> Iterator[Write]:
    """Writes each table as one record batch, uncompressed, so that the file can be mapped into memory."""
    with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, schema) as writer:
        yield lambda table: writer.write_table(table.combine_chunks())
