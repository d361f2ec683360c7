"""Rows -> the bytes of one segment, extent by extent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.ahead import ahead
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.column_writer import ColumnWriter
from drift_arrow.format.layout import (
    COLD_VECTOR_BLOCK_BYTES,
    MAX_BLOCK_BYTES,
    VECTOR_BLOCK_BYTES,
    BlockType,
    Buffer,
)
from drift_arrow.format.segment_content import Content
from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_footer import SegmentMeta
from drift_arrow.format.segment_sink import SegmentSink, SegmentSummary
from drift_arrow.format.segment_spec import SegmentSpec
from drift_arrow.format.segment_tables import SegmentTables
from drift_arrow.format.vector_block import encode_vectors
from drift_arrow.format.zone_table import zone_entries

__all__ = ["SegmentWriter", "write_segment"]


class EncodedVectors(NamedTuple):
    """An extent, and its blocks of vectors: the place of the first row inside the extent, rows, encoding."""

    extent: SegmentExtent
    blocks: list[tuple[int, int, Encoded]]


class SegmentWriter:
    """Writes one segment whose rows need never be in memory all at once.

    Parameters
    ----------
    write : callable
        Takes the next bytes of the file; must have consumed them when it returns. Whatever it raises passes through.
    spec : SegmentSpec

    Raises
    ------
    InvalidArgumentError
        The columns do not fit together; nothing was written.

    Notes
    -----
    Holds one extent, or two where one is encoded while another one is written, 20 bytes per row that was appended (36
    while the keys are sorted), the tables of the buckets, and what footer and zone maps say of each block. The same
    extents give the same bytes.
    """

    def __init__(self, write: Callable[[Buffer], object], spec: SegmentSpec) -> None:
        spec.check()
        self._spec = spec
        self._sink = SegmentSink(write, spec.uuid)
        self._tables = SegmentTables()
        self._columns = [
            ColumnWriter(self._sink, number, field, spec.profile)
            for number, field in enumerate(spec.schema)
            if field.name != spec.vector
        ]

    def append(self, extent: SegmentExtent) -> None:
        """Write the next rows.

        Parameters
        ----------
        extent : SegmentExtent
            `SegmentExtent.cut` makes extents of the right size; one with more than 16 MiB of codes is refused.

        Raises
        ------
        InvalidArgumentError
            The extent does not fit to the columns; nothing of it was written.
        LimitExceededError
            One value alone does not fit into a block.
        """
        self.write(self.encode(extent))

    def encode(self, extent: SegmentExtent) -> EncodedVectors:
        """Do what needs nothing of the extents before, on any thread; parameters and errors as of `append`."""
        extent.check(self._spec)
        if extent.codes.nbytes > MAX_BLOCK_BYTES:
            message = f"extent is too large: cut it; code_bytes={extent.codes.nbytes} limit={MAX_BLOCK_BYTES}"
            raise InvalidArgumentError(message)
        block_bytes = VECTOR_BLOCK_BYTES if self._spec.profile == "hot" else COLD_VECTOR_BLOCK_BYTES
        n_rows = max(block_bytes // extent.vectors[0].nbytes, 1)
        parts = [(start, extent.vectors[start : start + n_rows]) for start in range(0, len(extent.vectors), n_rows)]
        return EncodedVectors(
            extent, [(start, len(rows), encode_vectors(rows, self._spec.profile)) for start, rows in parts]
        )

    def write(self, encoded: EncodedVectors) -> None:
        """Write the next rows, which `encode` has prepared; errors as of `append`."""
        extent, first_row = encoded.extent, self._tables.n_rows
        self._sink.write_array(BlockType.CODES, extent.codes, first_row=first_row)
        for start, n_rows, block in encoded.blocks:
            self._sink.write_block(BlockType.VECTORS, block, n_values=n_rows, first_row=first_row + start)
        for writer, values in zip(self._columns, extent.table.columns, strict=True):
            writer.write(values, first_row)
        self._tables.append(extent)

    def finish(self) -> SegmentSummary:
        """Write tables, footer and tail.

        Returns
        -------
        SegmentSummary

        Raises
        ------
        InvalidArgumentError
            There is no row.
        LimitExceededError
            There are too many blocks for a footer.
        """
        if not self._tables.n_rows:
            raise InvalidArgumentError("a segment has a row at least: append an extent")
        meta = self._meta()
        self._tables.write(self._sink)
        zones = [entry for writer in self._columns for entry in writer.zones]
        self._sink.write_array(BlockType.ZONES, zone_entries(zones))
        for writer in self._columns:
            writer.write_dictionary()
        return self._sink.finish(meta)

    def _meta(self) -> SegmentMeta:
        spec = self._spec
        return SegmentMeta(
            schema=spec.schema,
            vector=spec.vector,
            key=spec.key,
            metric=spec.metric,
            n_rows=self._tables.n_rows,
            n_buckets=self._tables.n_buckets,
            seqno_range=spec.seqno_range,
        )


def write_segment(write: Callable[[Buffer], object], content: Content) -> SegmentSummary:
    """Write one segment.

    Parameters
    ----------
    write : callable
        As of `SegmentWriter`.
    content : Content

    Returns
    -------
    SegmentSummary

    Raises
    ------
    InvalidArgumentError
        The content does not fit together, or one bucket has more than 16 MiB of codes. Nothing was written if the
        content is a `SegmentContent`.
    LimitExceededError
        One value alone does not fit into a block, or there are too many blocks for a footer.
    """
    content.check()
    writer = SegmentWriter(write, content.spec)
    with closing(ahead(map(writer.encode, content.extents()))) as encoded_extents:
        for encoded in encoded_extents:
            writer.write(encoded)
    return writer.finish()
