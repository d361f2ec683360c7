"""A segment taken apart, however damaged, changed in one part, and sealed again from the inside out."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from random import Random

import numpy as np

from drift_arrow.format.block_index import INDEX_DTYPE
from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, BlockType, padding_bytes
from tests.fuzz.bytes_mutator import mutate_bytes, mutate_number
from tests.fuzz.json_mutator import mutate_json
from tests.fuzz.sealing import (
    BLOCK_HEADER,
    change_block_header,
    change_file_header,
    seal_block_header,
    seal_file_header,
    uuid_of,
)
from tests.fuzz.stored_mutator import mutate_stored

_TAIL = struct.Struct("<QQQQ")
_COUNTS = struct.Struct("<II")
_DETAIL_START = 24
_MOST_BLOCKS = 4096


@dataclass(slots=True)
class Block:
    """One block; `entry` is its row of the index, whose sizes and offset are repaired."""

    header: bytes
    stored: bytes
    entry: np.ndarray


@dataclass(slots=True)
class Segment:
    """The parts of a segment; offsets, lengths and checksums follow from them."""

    header_page: bytes
    blocks: list[Block]
    meta: bytes

    @classmethod
    def take_apart(cls, data: bytes) -> Segment:
        """Raises ValueError or struct.error where the frame is too damaged to follow."""
        footer_offset, footer_len, _, _ = _TAIL.unpack(data[-HEADER_BYTES:][_DETAIL_START : _DETAIL_START + _TAIL.size])
        footer = data[footer_offset + HEADER_BYTES : footer_offset + HEADER_BYTES + footer_len]
        text_bytes, n_blocks = _COUNTS.unpack_from(footer)
        start = _COUNTS.size + text_bytes + padding_bytes(text_bytes, 8)
        entries = np.frombuffer(footer[start:], INDEX_DTYPE, min(n_blocks, _MOST_BLOCKS)).copy()
        blocks = []
        for entry in entries:
            offset = int(entry["offset"])
            stop = offset + HEADER_BYTES + int(entry["stored_len"])
            if not PAGE_BYTES <= offset < stop <= len(data):
                raise ValueError(offset)
            blocks.append(Block(data[offset : offset + HEADER_BYTES], data[offset + HEADER_BYTES : stop], entry))
        return cls(data[:PAGE_BYTES], blocks, footer[_COUNTS.size : _COUNTS.size + text_bytes])

    def seal(self, random: Random) -> bytes:
        """The bytes of the file; one time in fifteen with something wrong in the frame."""
        slip = random.randrange(60)
        uuid = uuid_of(self.header_page)
        file = bytearray(seal_file_header(self.header_page[:HEADER_BYTES]) + self.header_page[HEADER_BYTES:])
        # the index is sorted by type, and blocks may lie in another order
        for block in sorted(self.blocks, key=lambda block: int(block.entry["offset"])):
            header = block.header[:24] + len(block.stored).to_bytes(4, "little") + block.header[28:]
            block.entry["offset"] = len(file)
            block.entry["stored_len"] = len(block.stored)
            file += _framed(seal_block_header(header, uuid, block.stored), block.stored)
        footer_offset = len(file)
        index = b"".join(block.entry.tobytes() for block in self.blocks)
        footer = _COUNTS.pack(len(self.meta), len(self.blocks)) + self.meta + bytes(-len(self.meta) % 8) + index
        if slip == 0:
            footer = mutate_bytes(footer, random)
        fields = (int(BlockType.FOOTER), 0, 0xFFFF, 0, len(self.blocks), len(footer), len(footer), 0)
        header = BLOCK_HEADER.pack(b"DBLK", *fields, xxh3_64(footer), b"", 0)
        if slip == 1:
            header = change_block_header(header, random)
        file += _framed(seal_block_header(header, uuid), footer)
        tail = [footer_offset, len(footer), xxh3_64(footer), len(file) + HEADER_BYTES]
        if slip == 2:
            place = random.randrange(len(tail))
            tail[place] = mutate_number(tail[place], random)
        frame = self.header_page[4:_DETAIL_START]
        file += seal_file_header(b"DEND" + frame + _TAIL.pack(*tail) + bytes(8))
        return mutate_bytes(bytes(file), random) if slip == 3 else bytes(file)


def mutate_segment(data: bytes, random: Random) -> bytes:
    """One part changed, and every checksum above it repaired; raw bytes if the file cannot be taken apart."""
    try:
        segment = Segment.take_apart(data)
    except (ValueError, struct.error):
        return mutate_bytes(data, random)
    if not segment.blocks:
        return mutate_bytes(data, random)
    block = random.choice(segment.blocks)
    match random.choice("sssssssshhieemmmob"):
        case "s":
            codec, raw_len = int(block.entry["codec"]), int(block.entry["raw_len"])
            block.stored, raw_len = mutate_stored(codec, block.stored, raw_len, random)
            _set_raw_len(block, raw_len)
        case "h":  # header and index alike
            block.header = change_block_header(block.header, random)
            _copy_to_index(block)
        case "i":  # the header alone
            block.header = change_block_header(block.header, random)
        case "e":  # the index alone
            name = random.choice(["type", "codec", "column", "n_values", "first_row", "raw_len"])
            block.entry[name] = mutate_number(int(block.entry[name]), random, block.entry[name].dtype.itemsize)
        case "m":
            segment.meta = mutate_json(segment.meta, random)
        case "o":  # other blocks, or another order
            _rearrange(segment.blocks, random)
        case "b":
            segment.header_page = change_file_header(segment.header_page, random)
    return segment.seal(random)


def _framed(header: bytes, stored: bytes) -> bytes:
    return header + stored + bytes(padding_bytes(HEADER_BYTES + len(stored), PAGE_BYTES))


def _set_raw_len(block: Block, raw_len: int) -> None:
    block.entry["raw_len"] = raw_len & 0xFFFFFFFF
    block.header = block.header[:20] + (raw_len & 0xFFFFFFFF).to_bytes(4, "little") + block.header[24:]


def _copy_to_index(block: Block) -> None:
    _, kind, codec, column, first_row, n_values, raw_len, *_ = BLOCK_HEADER.unpack(block.header)
    found = {"type": kind, "codec": codec, "column": column}
    for name, value in (found | {"n_values": n_values, "first_row": first_row, "raw_len": raw_len}).items():
        block.entry[name] = value


def _rearrange(blocks: list[Block], random: Random) -> None:
    place = random.randrange(len(blocks))
    match random.randrange(3):
        case 0:
            del blocks[place]
        case 1:
            copied = blocks[place]
            blocks.insert(random.randrange(len(blocks) + 1), Block(copied.header, copied.stored, copied.entry.copy()))
        case _:
            random.shuffle(blocks)
