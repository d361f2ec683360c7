"""Files of whole tables: how each format writes and reads them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import vortex as vx

from tables_bench import segment
from tables_bench.inputs import Input

ZSTD_LEVEL = 3


class TableFile(NamedTuple):
    """One format with one table.

    name : str
    path : Path
    write : callable
    read : callable     returns the whole table
    """

    name: str
    path: Path
    write: Callable[[], object]
    read: Callable[[], pa.Table]


def table_files(given: Input, folder: Path) -> list[TableFile]:
    """The formats, drift first; nothing is written yet."""
    return [*_segments(given, folder), *_parquets(given.table, folder), *_vortexes(given.table, folder)]


def _segments(given: Input, folder: Path) -> list[TableFile]:
    content, names = segment.content_of(given), given.table.schema.names

    def drift(name: str, profile: str) -> TableFile:
        path = folder / f"{profile}.drift"
        return TableFile(name, path, lambda: segment.write(content, path, profile), lambda: segment.read(path, names))

    return [drift("drift", "hot"), drift("drift-cold", "cold")]


def _parquets(table: pa.Table, folder: Path) -> list[TableFile]:
    zstd = {"compression": "zstd", "compression_level": ZSTD_LEVEL}

    def parquet(name: str, **options: object) -> TableFile:
        path = folder / f"{name}.parquet"
        return TableFile(
            name,
            path,
            lambda: pq.write_table(table, path, **options),
            lambda: pq.ParquetFile(path, memory_map=True).read(use_threads=False),
        )

    return [parquet("parquet"), parquet("parquet-zstd", **zstd)]


def _vortexes(table: pa.Table, folder: Path) -> list[TableFile]:
    path, compact = folder / "table.vortex", folder / "compact.vortex"

    def read(path: Path, *, memory_map: bool = False) -> pa.Table:
        file = vx.open(str(path), without_segment_cache=True, memory_map=memory_map)
        # in the types of the table, as the others read it: by itself Vortex makes views of strings, no faster
        return file.to_arrow(schema=table.schema).read_all()

    def write() -> None:
        vx.io.write(vx.array(table), str(path))

    def write_compact() -> None:
        vx.io.VortexWriteOptions.compact().write(vx.array(table), str(compact))

    return [
        TableFile("vortex", path, write, lambda: read(path)),
        # buffers that are stored as they are stay in the file, and are not read at all
        TableFile("vortex-mmap", path, write, lambda: read(path, memory_map=True)),
        TableFile("vortex-compact", compact, write_compact, lambda: read(compact)),
    ]


def parquet_columns(path: Path) -> dict[str, int]:
    """Stored bytes of each column of a Parquet file."""
    metadata = pq.read_metadata(path)
    sizes: dict[str, int] = defaultdict(int)
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in range(group.num_columns):
            chunk = group.column(column)
            sizes[chunk.path_in_schema.partition(".")[0]] += chunk.total_compressed_size
    return dict(sizes)
