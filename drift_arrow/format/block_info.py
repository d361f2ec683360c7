"""What is known about one block of a segment, for people and tools that inspect it."""

from __future__ import annotations

from dataclasses import dataclass

from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import BlockType, CodecId
from drift_arrow.format.zone import Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockInfo:
    """One block.

    Parameters
    ----------
    type : BlockType
    column : str or None
        Of a payload block or a dictionary, and of vectors; None if the block belongs to no column.
    first_row, n_values : int
        The block holds values ``first_row`` up to ``first_row + n_values``; rows, buckets or words, by its type.
    codec : CodecId
        The outermost encoding.
    raw_len, stored_len : int
        Bytes before and after the codec.
    offset : int
        Of the block header in the file.
    encoding : Encoding
        How the values are stored, inner encodings included.
    zone : Zone or None
        Bounds of the rows of a payload block.
    """

    type: BlockType
    column: str | None
    first_row: int
    n_values: int
    codec: CodecId
    raw_len: int
    stored_len: int
    offset: int
    encoding: Encoding
    zone: Zone | None
