"""Which blocks a segment must have, and may have."""

from __future__ import annotations

from typing import Final, NamedTuple

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block_index import BlockIndex
from drift_arrow.format.column_block import check_codec
from drift_arrow.format.layout import BLOOM_BLOCK_BYTES, MAX_SEGMENT_ROWS, NO_COLUMN, ZONE_BYTES, BlockType, CodecId
from drift_arrow.format.segment_footer import SegmentMeta
from drift_arrow.format.vector_block import VECTOR_CODECS

_PLAIN: Final = frozenset({CodecId.PLAIN})
_COMPRESSED: Final = frozenset({CodecId.PLAIN, CodecId.ZSTD})


class _Part(NamedTuple):
    """All blocks of one type and column.

    n_values : int
    width : int or None            bytes of each value in the raw bytes, None for any
    codecs : set or None           that they may have, None for any
    """

    type: BlockType
    n_values: int
    width: int | None
    codecs: frozenset[CodecId] | None = _PLAIN
    column: int = NO_COLUMN


def check_parts(index: BlockIndex, meta: SegmentMeta, *, path: str, offset: int) -> None:
    """Hold a block index against the metadata beside it.

    Raises
    ------
    CorruptionError
        A part is missing, has a gap or another size, there is a block that no part asks for, or a block crosses
        extents.
    UnsupportedFormatError
        A codec is unknown here.
    """
    # first: a later release may use a new one where this one allows few
    for codec in set(index.entries["codec"].tolist()):
        check_codec(codec, path=path)
    parts = _parts(index, meta)
    n_blocks = sum(len(index.numbers(part.type, part.column)) for part in parts)
    if n_blocks != len(index) or not all(_is_complete(index, part) for part in parts):
        raise CorruptionError("block index contradicts the metadata", path=path, offset=offset)
    # compiled code reads as many bytes of codes as the raw length says
    is_plain = index.entries["codec"] == CodecId.PLAIN
    if (index.entries["stored_len"] != index.entries["raw_len"])[is_plain].any():
        raise CorruptionError("a plain block is not as long as it says", path=path, offset=offset)
    index.check_extents(path=path, offset=offset)


def _parts(index: BlockIndex, meta: SegmentMeta) -> list[_Part]:
    dim = meta.vector_type.list_size
    vector_bytes = dim * meta.vector_type.value_type.bit_width // 8
    columns = [i for i in range(len(meta.schema)) if i != meta.schema.get_field_index(meta.vector)]
    n_column_blocks = sum(len(index.numbers(BlockType.COLUMN, column)) for column in columns)
    return [
        _Part(BlockType.BUCKET_OFFSETS, meta.n_buckets + 1, 8),
        _Part(BlockType.CENTROIDS, meta.n_buckets, 4 * dim),
        _Part(BlockType.CODE_LO, meta.n_buckets, 4 * dim),
        _Part(BlockType.CODE_STEP, meta.n_buckets, 4 * dim),
        _Part(BlockType.CODES, meta.n_rows, dim),
        _Part(BlockType.NORMS, meta.n_rows, 4),
        _Part(BlockType.FINGERPRINTS, meta.n_rows, 16),
        _Part(BlockType.KEY_ORDER, meta.n_rows, 4),
        _Part(BlockType.VECTORS, meta.n_rows, vector_bytes, VECTOR_CODECS),
        *(_Part(BlockType.COLUMN, meta.n_rows, None, None, column) for column in columns),
        _Part(BlockType.BLOOM, min(index.count(BlockType.BLOOM), MAX_SEGMENT_ROWS), BLOOM_BLOCK_BYTES),
        _Part(BlockType.ZONES, n_column_blocks, ZONE_BYTES),
        # one block, or none
        *(
            _Part(BlockType.DICTIONARY, 1, None, _COMPRESSED, column)
            for column in columns
            if index.numbers(BlockType.DICTIONARY, column)
        ),
    ]


def _is_complete(index: BlockIndex, part: _Part) -> bool:
    codecs = {index.entries["codec"][number].item() for number in index.numbers(part.type, part.column)}
    is_known = part.codecs is None or codecs <= part.codecs
    return is_known and index.covers(part.type, part.n_values, part.width, column=part.column)
