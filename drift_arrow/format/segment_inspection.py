"""Every block of a segment described, and every value of it decoded."""

from __future__ import annotations

import numpy as np

from drift_arrow.format.block_info import BlockInfo
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import BlockType, CodecId
from drift_arrow.format.pieces import restore_pieces
from drift_arrow.format.segment_columns import SegmentColumns
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.segment_vectors import SegmentVectors
from drift_arrow.format.zone import Zone
from drift_arrow.format.zone_table import ZoneTable


class SegmentInspection:
    """A walk over the blocks of one segment.

    Parameters
    ----------
    file : SegmentFile
    zones : ZoneTable
    columns, vectors : SegmentColumns, SegmentVectors
        Of the same file.
    """

    def __init__(self, file: SegmentFile, zones: ZoneTable, columns: SegmentColumns, vectors: SegmentVectors) -> None:
        self._file, self._zones, self._columns, self._vectors = file, zones, columns, vectors
        self._first_column_block = int(np.searchsorted(file.index.entries["type"], BlockType.COLUMN))

    def blocks(self) -> list[BlockInfo]:
        """Every block in the order of the file; raises CorruptionError."""
        return [self._describe(number) for number in np.argsort(self._file.index.offsets).tolist()]

    def check(self) -> None:
        """Decode every block and every zone once; raises CorruptionError."""
        index, schema = self._file.index, self._file.meta.schema
        for _, block in self._vectors.opened.scan(index.numbers(BlockType.VECTORS)):
            block.read()
        for column, field in enumerate(schema):
            for number, rows in self._columns.opened.scan(index.numbers(BlockType.COLUMN, column)):
                restore_pieces(rows.read(), field.type)
                self.zone(number, column)

    def zone(self, number: int, column: int) -> Zone:
        """Bounds of the rows of a payload block."""
        return self._zones.zone(number - self._first_column_block, self._file.meta.schema.field(column).type)

    def _describe(self, number: int) -> BlockInfo:
        kind, codec, column, n_values, first_row, offset, raw_len, stored_len = self._file.index.entries[number].item()
        schema = self._file.meta.schema
        is_payload = kind == BlockType.COLUMN
        name = schema.names[column] if column < len(schema) else None
        return BlockInfo(
            type=BlockType(kind),
            column=self._file.meta.vector if kind == BlockType.VECTORS else name,
            first_row=first_row,
            n_values=n_values,
            codec=CodecId(codec),
            raw_len=raw_len,
            stored_len=stored_len,
            offset=offset,
            encoding=self._encoding(number, kind, n_values, stored_len),
            zone=self.zone(number, column) if is_payload else None,
        )

    def _encoding(self, number: int, kind: int, n_values: int, stored_len: int) -> Encoding:
        if kind == BlockType.COLUMN:
            return next(block.describe() for _, block in self._columns.opened.scan([number]))
        if kind == BlockType.VECTORS:
            return next(block.describe() for _, block in self._vectors.opened.scan([number]))
        codec = CodecId(int(self._file.index.entries["codec"][number]))
        return Encoding(name=codec.name, n_values=n_values, stored_bytes=stored_len)
