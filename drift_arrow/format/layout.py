"""Every magic, version, size and limit of the file formats: the constants of docs/FORMAT.md.

All integers in the files are little-endian. A limit bounds what a reader allocates before it believes a length.
"""

from __future__ import annotations

from enum import IntEnum
from mmap import mmap
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Buffer: TypeAlias = bytes | bytearray | memoryview | mmap | NDArray[Any] | pa.Buffer
"""Any C-contiguous object with the buffer protocol."""

Bytes: TypeAlias = NDArray[np.uint8]
"""One-dimensional bytes for vectorised access; read-only when they are a map of a file."""

FORMAT_VERSION: Final = 1
"""Version in the header of every binary file and in every manifest."""

SEGMENT_MAGIC: Final = b"DSEG"
"""First bytes of a segment."""

SEGMENT_TAIL_MAGIC: Final = b"DEND"
"""First bytes of the last 64 bytes of a segment."""

BITMAP_MAGIC: Final = b"DBIT"
"""First bytes of a tombstone file."""

WAL_MAGIC: Final = b"DWAL"
"""First bytes of a WAL file."""

BLOCK_MAGIC: Final = b"DBLK"
"""First bytes of a block header."""

RECORD_MAGIC: Final = b"DREC"
"""First bytes of a WAL record header."""

MANIFEST_KIND: Final = "drift-manifest"
"""Value of the key `kind` of a manifest."""

TAG_KIND: Final = "drift-tag"
"""Value of the key `kind` of a tag."""

SEGMENT_KIND: Final = "drift-segment"
"""Value of the key `kind` of the metadata in a segment footer."""

STATISTICS_KIND: Final = "drift-statistics"
"""Value of the key `kind` of a statistics file."""

CONTRACT_KIND: Final = "drift-contract"
"""Value of the key `kind` of a contract."""

PAGE_BYTES: Final = 4096
"""Blocks start on multiples of this."""

HEADER_BYTES: Final = 64
"""Size of a file header, a block header and a segment tail."""

UUID_BYTES: Final = 16
"""Size of a UUID in its big-endian byte order (RFC 9562)."""

SALT_BYTES: Final = 16
"""Random bytes of a WAL header that enter every checksum of that file."""

RECORD_HEADER_BYTES: Final = 40
"""Size of a WAL record header."""

RECORD_ALIGNMENT: Final = 8
"""WAL records start on multiples of this."""

FOOTER_PREFIX_BYTES: Final = 8
"""Size of the two counts at the start of a footer."""

INDEX_ENTRY_BYTES: Final = 32
"""Size of one entry of the block index."""

NUMBERS_HEADER_BYTES: Final = 24
"""Size of the header of packed numbers."""

ARRAY_ALIGNMENT: Final = 8
"""Arrays and parts in the stored bytes of a column start on multiples of this."""

PART_HEADER_BYTES: Final = 16
"""Size of the header of a part inside the stored bytes of a column."""

NO_COLUMN: Final = 0xFFFF
"""Column number of a block that belongs to no column of the schema."""

MAX_BLOCK_BYTES: Final = 16 << 20
"""Largest raw size of a block."""

MAX_PART_DEPTH: Final = 32
"""Most parts around a part of a block of a column."""

MAX_FOOTER_BYTES: Final = 16 << 20
"""Largest raw size of a footer; it bounds the number of blocks of a segment."""

MAX_RECORD_BYTES: Final = 64 << 20
"""Largest payload of one WAL record that a reader accepts."""

MAX_FRAGMENT_BYTES: Final = 16 << 20
"""Largest payload of one WAL record that a writer emits; longer operations are fragmented."""

MAX_MANIFEST_BYTES: Final = 8 << 20
"""Largest manifest; one conditional PUT of any object store."""

MAX_STATISTICS_BYTES: Final = 8 << 20
"""Largest statistics file."""

MAX_CONTRACT_BYTES: Final = 8 << 20
"""Largest contract."""

MAX_TAG_BYTES: Final = 4096
"""Largest tag."""

MAX_SCHEMA_BYTES: Final = 2 << 20
"""Largest Arrow schema message."""

MAX_SEGMENT_ROWS: Final = 1 << 27
"""Most rows of a segment: one block holds the bitmap of its live rows."""

MAX_SAFE_INTEGER: Final = (1 << 53) - 1
"""Largest JSON number that every language reads exactly; larger integers are written as strings."""

EXTENT_ROWS: Final = 65_536
"""Most rows of an extent of several buckets."""

EXTENT_VECTOR_BYTES: Final = 16 << 20
"""Most bytes of full-precision vectors of an extent of several buckets; with `EXTENT_ROWS` it bounds a writer."""

VECTOR_BLOCK_BYTES: Final = 4 << 20
"""Target raw size of a block of full-precision vectors."""

COLD_VECTOR_BLOCK_BYTES: Final = 1 << 20
"""The same in the profile `cold`, where a whole block is decompressed to read one row."""

BLOOM_BLOCK_BYTES: Final = 32
"""Size of a block of the Bloom filter: one cache line holds two."""

ZONE_BYTES: Final = 40
"""Size of a zone map."""

ZONE_BOUND_BYTES: Final = 16
"""Most bytes of a bound in a zone map; longer values are cut."""

TAIL_READ_BYTES: Final = 64 << 10
"""What a reader of ranges fetches first, from the end of the file: footer and tables of most segments."""

COALESCE_GAP_BYTES: Final = 1 << 20
"""Ranges closer than this are fetched as one: an object store takes as long to answer as to send about this much."""

BLOCK_CACHE_BYTES: Final = 64 << 20
"""Raw size of the payload and vector blocks that a reader of ranges keeps open, and of the bytes it keeps fetched."""

VERIFY_ON_OPEN_BYTES: Final = 64 << 20
"""Segments up to this size are compared with their digest as a whole when they are opened."""


class BlockType(IntEnum):
    """What the bytes of a block are; numbers are never reused."""

    FOOTER = 1
    BUCKET_OFFSETS = 2
    CENTROIDS = 3
    CODE_LO = 4
    CODE_STEP = 5
    CODES = 6
    NORMS = 7
    FINGERPRINTS = 8
    KEY_ORDER = 9
    VECTORS = 10
    COLUMN = 11
    BITMAP = 12
    BLOOM = 13
    ZONES = 14
    DICTIONARY = 15


class CodecId(IntEnum):
    """How raw bytes became stored bytes; numbers are never reused."""

    PLAIN = 0
    ZSTD = 1
    INTEGERS = 2
    FLOATS = 3
    STRINGS = 4
    DICTIONARY = 5
    NESTED = 6
    COMPRESSED = 7
    PLANES = 8


class RecordType(IntEnum):
    """What a WAL operation does; numbers are never reused."""

    ADD = 1
    UPSERT = 2
    DELETE = 3
    SYNC = 4
    CLOSE = 5


class Fragment(IntEnum):
    """Which part of an operation a WAL record holds."""

    FULL = 1
    FIRST = 2
    MIDDLE = 3
    LAST = 4


def padding_bytes(length: int, alignment: int) -> int:
    """Bytes to add to `length` to reach the next multiple of `alignment`."""
    return -length % alignment
