"""Segments as a whole, and the parsers inside of them."""

from __future__ import annotations

import struct
from dataclasses import replace
from random import Random
from unittest.mock import patch

import numpy as np
import pyarrow as pa

from drift_arrow.format import segment_extent
from drift_arrow.format.block import check_padding, check_stored, decode_block_header, encode_block, plain
from drift_arrow.format.block_index import INDEX_DTYPE, BlockIndex
from drift_arrow.format.checksum import xxh3_64, xxh3_128
from drift_arrow.format.layout import HEADER_BYTES, NO_COLUMN, PAGE_BYTES, BlockType, padding_bytes
from drift_arrow.format.segment_footer import decode_footer
from drift_arrow.format.segment_reader import SegmentReader
from tests.format.samples import UUID_1, CountingSource, arrays, segment_bytes, segment_content
from tests.fuzz.bytes_mutator import mutate_bytes, mutate_number
from tests.fuzz.column_targets import long_texts
from tests.fuzz.json_mutator import mutate_json
from tests.fuzz.sealing import change_block_header, seal_block_header, uuid_of
from tests.fuzz.segment_parts import Segment, mutate_segment
from tests.fuzz.stored_mutator import mutate_stored
from tests.fuzz.target import Target

_PATH = "fuzz"
_COUNTS = struct.Struct("<II")
_MOST_BYTES = (1 << 48) - 1
# types that go together keep the files small
_GROUPS = (
    ("string", "int32", "double", "bool", "dictionary", "list"),
    ("timestamp ns", "decimal128", "struct", "map", "uuid", "large_string"),
    ("string_view", "list_view", "run_end_encoded", "dense union", "deep", "halffloat"),
)


def segment_seeds() -> list[bytes]:
    """Small segments that hold every kind of block, column and vector, in one extent or in several."""
    samples = arrays()
    contents = [
        segment_content(6, 3, 2, columns={name: samples[name] for name in names}, dtype=dtype)
        for names, dtype in zip(_GROUPS, (np.float32, np.float64, np.float16), strict=True)
    ]
    contents += [segment_content(1500, 2, 3, columns=_numbers(1500), profile=profile) for profile in ("hot", "cold")]
    contents.append(segment_content(1500, 2, 3, columns={"text": long_texts(1500)}))
    with patch.object(segment_extent, "EXTENT_ROWS", 4):
        parted = segment_bytes(contents[0])[0]
    return [parted, *(segment_bytes(content)[0] for content in contents)]


def _numbers(rows: int) -> dict[str, pa.Array]:
    random = np.random.default_rng(3)
    return {
        "number": pa.array(np.sort(random.integers(0, 1 << 20, rows))),
        "price": pa.array(random.integers(0, 10_000, rows) / 100),
        "word": pa.array([f"word {row % 5}" if row % 3 else None for row in range(rows)]),
    }


def parse_segment(data: bytes) -> None:
    """Open, verify, and read in every way."""
    with np.errstate(over="ignore"):  # doubles that are no floats
        _read_segment(data)


def _read_segment(data: bytes) -> None:
    # a third is compared with its digest at open, a third verified block by block, a third fetched by ranges
    way = xxh3_64(data) % 3
    reader = SegmentReader(
        CountingSource(data) if way == 0 else data, _PATH, len(data), xxh3_128(data) if way == 1 else None
    )
    names = reader.schema.names
    rows = np.unique(np.array([0, reader.n_rows // 2, reader.n_rows - 1]))
    reader.take(rows[::-1], names)
    reader.vectors(rows)
    reader.raw_vectors(0, reader.n_rows)
    reader.read_rows(reader.n_rows // 3, reader.n_rows // 2, names)
    reader.read_bucket(reader.n_buckets - 1, names)
    reader.read_columns(names)
    for _ in reader.vector_blocks():
        pass
    reader.maybe_contains(reader.sorted_fingerprints)
    reader.blocks()
    reader.verify()


def footer_seeds() -> list[bytes]:
    """Footers of the segments."""
    return [_footer_of(data) for data in segment_seeds()]


def mutate_footer(data: bytes, random: Random) -> bytes:
    """A change to the JSON, or to one entry, with counts that fit."""
    if len(data) < _COUNTS.size or random.random() < 0.1:
        return mutate_bytes(data, random)
    text_bytes, _ = _COUNTS.unpack_from(data)
    text, index = data[_COUNTS.size :][:text_bytes], data[_COUNTS.size + text_bytes + -text_bytes % 8 :]
    if random.random() < 0.6:
        text = mutate_json(text, random)
    else:
        index = mutate_bytes(index, random)
    return _COUNTS.pack(len(text), len(index) // INDEX_DTYPE.itemsize) + text + bytes(-len(text) % 8) + index


def parse_footer(data: bytes) -> None:
    """As `SegmentFile` does, with a header that says what the footer says."""
    n_blocks = _COUNTS.unpack_from(data)[1] if len(data) >= _COUNTS.size else 0
    header = decode_block_header(memoryview(_header_of_footer(n_blocks)), UUID_1, path=_PATH, offset=0)
    meta, index = decode_footer(memoryview(data), header, path=_PATH, offset=0)
    _use_index(index, meta.n_rows)


def index_seeds() -> list[bytes]:
    """Block indexes of the segments."""
    return [b"".join(block.entry.tobytes() for block in Segment.take_apart(data).blocks) for data in segment_seeds()]


def parse_index(data: bytes) -> None:
    """The index of a segment of as many rows as its last vector block says."""
    entries = np.frombuffer(data[: len(data) // INDEX_DTYPE.itemsize * INDEX_DTYPE.itemsize], INDEX_DTYPE)
    _use_index(BlockIndex(entries), 40)


def block_seeds() -> list[bytes]:
    """File header of the UUID, then one block."""
    return [
        data[:HEADER_BYTES] + seal_block_header(block.header, uuid_of(data), block.stored) + block.stored
        for data in segment_seeds()
        for block in Segment.take_apart(data).blocks
        if len(block.stored) < 20_000
    ]


def mutate_block(data: bytes, random: Random) -> bytes:
    """Another header or other stored bytes, sealed."""
    frame, header, stored = data[:HEADER_BYTES], data[HEADER_BYTES : 2 * HEADER_BYTES], data[2 * HEADER_BYTES :]
    if len(header) < HEADER_BYTES or random.random() < 0.05:
        return mutate_bytes(data, random)
    if random.random() < 0.5:
        header = change_block_header(header, random)
    else:
        raw_len = int.from_bytes(header[20:24], "little")
        stored, raw_len = mutate_stored(header[5], stored, raw_len, random)
        sizes = (raw_len & 0xFFFFFFFF).to_bytes(4, "little") + len(stored).to_bytes(4, "little")
        header = header[:20] + sizes + header[28:]
    return frame + seal_block_header(header, uuid_of(frame), stored) + stored


def parse_block(data: bytes) -> None:
    """Header, checksum, padding."""
    block = memoryview(data)[HEADER_BYTES:]
    header = decode_block_header(block, UUID_1, path=_PATH, offset=0)
    assert len(check_stored(block, header, path=_PATH, offset=0)) == header.stored_len
    used = HEADER_BYTES + header.stored_len
    check_padding(block[used:], len(block) - used, path=_PATH, offset=used)


def _use_index(index: BlockIndex, n_rows: int) -> None:
    for kind in BlockType:
        for column in (0, NO_COLUMN):
            if index.covers(kind, n_rows, None, column=column):
                rows = np.array([0, n_rows - 1])
                owners = index.owners(index.blocks(kind, column), rows)
                assert (owners >= 0).all()
                assert (owners < len(index)).all()
    ends = [int(entry["offset"]) + int(entry["stored_len"]) + HEADER_BYTES for entry in index.entries]
    end = max(ends, default=0) & _MOST_BYTES
    index.check_layout(end + padding_bytes(end, PAGE_BYTES), path=_PATH, offset=0)


def _footer_of(data: bytes) -> bytes:
    segment = Segment.take_apart(data)
    index = b"".join(block.entry.tobytes() for block in segment.blocks)
    meta = segment.meta
    return _COUNTS.pack(len(meta), len(segment.blocks)) + meta + bytes(-len(meta) % 8) + index


def _header_of_footer(n_blocks: int) -> bytes:
    header, _ = encode_block(UUID_1, BlockType.FOOTER, plain(b""), n_values=0)
    return replace(header, n_values=n_blocks).encode(UUID_1)


def _mutate_index(data: bytes, random: Random) -> bytes:
    if len(data) < INDEX_DTYPE.itemsize or random.random() < 0.2:
        return mutate_bytes(data, random)
    entries = np.frombuffer(data[: len(data) // INDEX_DTYPE.itemsize * INDEX_DTYPE.itemsize], INDEX_DTYPE).copy()
    name = random.choice(INDEX_DTYPE.names or ())
    place = random.randrange(len(entries))
    entries[name][place] = mutate_number(int(entries[name][place]), random, entries.dtype[name].itemsize)
    return entries.tobytes()


SEGMENT_TARGETS = (
    Target(name="segment", seeds=segment_seeds, mutate=mutate_segment, parse=parse_segment),
    Target(name="footer", seeds=footer_seeds, mutate=mutate_footer, parse=parse_footer),
    Target(name="block_index", seeds=index_seeds, mutate=_mutate_index, parse=parse_index),
    Target(name="block", seeds=block_seeds, mutate=mutate_block, parse=parse_block),
)
