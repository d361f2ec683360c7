"""The blocks of one payload column, first to last."""

from __future__ import annotations

import pyarrow as pa

from drift_arrow.errors import LimitExceededError
from drift_arrow.format.codec import choose
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.column import gather_chunks
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.layout import EXTENT_ROWS, MAX_BLOCK_BYTES, BlockType
from drift_arrow.format.segment_sink import SegmentSink
from drift_arrow.format.zone_table import ZoneEntry, measure_zone


class ColumnWriter:
    """Writes one column of a segment.

    Parameters
    ----------
    sink : SegmentSink
    column : int
        Position in the schema.
    field : pa.Field
    profile : str
        ``hot`` or ``cold``.

    Attributes
    ----------
    zones : list of ZoneEntry
        One for each block so far.
    """

    def __init__(self, sink: SegmentSink, column: int, field: pa.Field, profile: str) -> None:
        self._sink, self._column, self._name = sink, column, field.name
        self._encoder = ColumnEncoder(field.type, profile)
        self.zones: list[ZoneEntry] = []

    def write(self, values: pa.ChunkedArray, first_row: int) -> None:
        """Append the next rows, in as few blocks as their size allows.

        Raises
        ------
        LimitExceededError
            One value alone does not fit into a block.
        """
        start, wanted = 0, EXTENT_ROWS
        while start < len(values):
            rows, encoded = self._encode(values, start, wanted, first_row)
            self._sink.write_block(
                BlockType.COLUMN, encoded, n_values=len(rows), first_row=first_row + start, column=self._column
            )
            self.zones.append(measure_zone(rows))
            start += len(rows)
            # values of one column have about one size: do not search for the number of rows from the top every time
            wanted = min(2 * len(rows), EXTENT_ROWS)

    def write_dictionary(self) -> None:
        """Append the dictionary that the blocks need, if they do."""
        if self._encoder.dictionary is not None:
            self._sink.write_block(
                BlockType.DICTIONARY, choose(self._encoder.dictionary), n_values=1, column=self._column
            )

    def _encode(self, values: pa.ChunkedArray, start: int, wanted: int, first_row: int) -> tuple[pa.Array, Encoded]:
        """As many of the `wanted` rows from `start` on as fit into a block, halving until they do."""
        n_values = min(wanted, len(values) - start)
        while n_values:
            rows = gather_chunks(values.slice(start, n_values))
            # Arrow's own size first: rows that are far too many are not worth encoding
            if rows.nbytes <= MAX_BLOCK_BYTES:
                encoded = self._encoder.encode(rows)
                if max(encoded.raw_len, len(encoded.stored)) <= MAX_BLOCK_BYTES:
                    return rows, encoded
            n_values //= 2
        message = f"one value is too large for a block; column={self._name!r} row={first_row + start}"
        raise LimitExceededError(f"{message} limit_bytes={MAX_BLOCK_BYTES}")
