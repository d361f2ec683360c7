"""A table as one segment: sorted into buckets by the engine, then written and read through the format."""

from __future__ import annotations

import mmap
import uuid
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

import drift_arrow as drift
from drift_arrow.engine.build import build_segment
from drift_arrow.engine.heal.source import whole
from drift_arrow.engine.ordered_content import OrderedContent
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.format.segment_writer import write_segment
from tables_bench.inputs import Input

_NEVER: Final = 1 << 50
_BATCH_ROWS: Final = 65_536
_DATA: Final = {"VECTORS", "COLUMN", "DICTIONARY"}
_KEYS: Final = {"FINGERPRINTS", "KEY_ORDER", "BLOOM"}


def content_of(given: Input) -> OrderedContent:
    """Rows sorted by bucket, as a flush would have them."""
    options = drift.Options(memtable_bytes=2 * given.table.nbytes, graph_rows=_NEVER)
    with drift.connect(f"memory://{uuid.uuid4()}") as db:
        docs = db.create_collection(
            "t", schema=given.table.schema, vector=given.vector, key=given.key, metric=given.metric, options=options
        )
        for start in range(0, len(given.table), _BATCH_ROWS):
            docs.add(given.table.slice(start, _BATCH_ROWS))
        built = build_segment([whole(view) for view in docs.pin().views], None, docs.spec, options, (1, 1))
    assert built is not None
    return built.content


def write(content: OrderedContent, path: Path, profile: str) -> None:
    """Write the file."""
    with path.open("wb") as file:
        write_segment(
            lambda rows: file.write(byte_view(rows)), replace(content, spec=replace(content.spec, profile=profile))
        )


def read(path: Path, names: list[str]) -> pa.Table:
    """Map the file, and read all rows of all columns; every block is compared with its checksum."""
    return _open(path).read_columns(names)


class Part(NamedTuple):
    """Blocks of one kind, and of one column for payload.

    kind, column : str      column is empty for what no other format has
    n_blocks, size : int    bytes with headers and padding
    """

    kind: str
    column: str
    n_blocks: int
    size: int

    @property
    def is_data(self) -> bool:
        """Whether it holds columns of the table."""
        return self.kind in _DATA

    @property
    def is_keys(self) -> bool:
        """Whether it serves to find keys."""
        return self.kind in _KEYS


def parts(path: Path) -> list[Part]:
    """What the file is made of, largest first; header, footer and tail are one part."""
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for block in _open(path).blocks():
        used = block.stored_len + HEADER_BYTES
        found[block.type.name, block.column or ""].append(used + -used % PAGE_BYTES)
    found["header, footer, tail", ""].append(path.stat().st_size - sum(map(sum, found.values())))
    sizes = [Part(kind, column, len(blocks), sum(blocks)) for (kind, column), blocks in found.items()]
    return sorted(sizes, key=lambda part: -part.size)


def _open(path: Path) -> SegmentReader:
    with path.open("rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    return SegmentReader(mapped, str(path))
