"""docs/FORMAT.md says what the code does: constants, field tables and dumps."""

import re
from enum import IntEnum
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.format import layout
from drift_arrow.format.bitmap_file import encode_bitmap
from drift_arrow.format.block_index import INDEX_DTYPE
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs import compressed, strings, validity
from drift_arrow.format.layout import HEADER_BYTES
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.format.wal_record import RecordType, encode_operation
from drift_arrow.format.zone_table import ZONE_DTYPE
from drift_arrow.kernels.bloom import SALTS
from tests.format.samples import SALT, UUID_1, segment_bytes, segment_content, wal_bytes, wal_header

TEXT = (Path(__file__).parents[2] / "docs" / "FORMAT.md").read_text(encoding="utf-8")


def constants_of_the_code():
    found = {}
    for name, value in vars(layout).items():
        if name.isupper():
            found[name] = value.decode() if isinstance(value, bytes) else str(value)
        elif isinstance(value, type) and issubclass(value, IntEnum) and value is not IntEnum:
            found |= {f"{name}.{member.name}": str(member.value) for member in value}
    return found


def constants_of_the_document():
    rows = re.findall(
        r"^\| `([A-Za-z_.]+)` \| `?([^ `|]+)`? \|", TEXT.split("### 1.1")[1].split("## 2.")[0], re.MULTILINE
    )
    assert len(rows) == len(dict(rows))
    return dict(rows)


def field_tables():
    """Title and (offset, size) rows of every table of fields."""
    found = []
    for section in re.split(r"^#{2,3} ", TEXT, flags=re.MULTILINE)[1:]:
        rows = re.findall(r"^\| (\d+) \| (\d+) \| ", section, re.MULTILINE)
        if "| offset | size | field |" in section:
            found.append((section.split("\n")[0], [(int(offset), int(size)) for offset, size in rows]))
    return found


def dump(data, first=0):
    """As `hexdump -C`: equal lines of 16 bytes but the first are folded into a star."""
    lines: list[str] = []
    before = None
    for start in range(0, len(data), 16):
        line = data[start : start + 16]
        if line == before:
            lines += [] if lines[-1] == "*" else ["*"]
            continue
        before = line
        octets = " ".join(f"{byte:02x}" for byte in line[:8]) + "  " + " ".join(f"{byte:02x}" for byte in line[8:])
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in line)
        lines.append(f"{first + start:08x}  {octets:<48}  |{text}|")
    return "\n".join([*lines, f"{first + len(data):08x}"])


def example_wal():
    data = bytearray(wal_header().encode())
    for seqno, (kind, payload) in enumerate([(RecordType.ADD, b"hello"), (RecordType.CLOSE, b"")], start=10):
        buffers, _ = encode_operation(SALT, seqno, len(data), kind, payload)
        for buffer in buffers:
            data += byte_view(buffer)
    return bytes(data)


def example_tombstones():
    mask = np.ones(12, dtype=np.bool_)
    mask[[1, 9]] = False
    return encode_bitmap(np.packbits(mask, bitorder="little"), 12, UUID_1)


def example_segment():
    """Bytes, and where the blocks of some types are."""
    columns = {"id": pa.array([7, 8, 9]), "word": pa.array(["incomprehensibleness", None, "is"])}
    fingerprints = np.array([[7, 0], [8, 0], [9, 0]], np.uint64)
    ones = np.ones((2, 2), np.float32)
    content = segment_content(
        3, 2, 2, columns=columns, offsets=np.array([0, 2, 3]), fingerprints=fingerprints, centroids=ones, lo=ones,
        step=ones, codes=np.zeros((3, 2), np.uint8), vectors=np.ones((3, 2), np.float32),
        norms=np.full(3, 2, np.float32),
    )  # fmt: skip
    data, _ = segment_bytes(content)
    return data, SegmentReader(data, "p")


def example_block(block_type):
    data, reader = example_segment()
    (block,) = (block for block in reader.blocks() if block.type is block_type)
    return dump(data[block.offset : block.offset + HEADER_BYTES + block.stored_len], block.offset)


def example_index():
    """Entries of blocks whose length depends on nothing but their rows, counted from the first."""
    data, reader = example_segment()
    footer = reader._file.tail
    stop = footer.footer_offset + HEADER_BYTES + footer.footer_stored_len
    start = stop - len(reader.blocks()) * layout.INDEX_ENTRY_BYTES
    return dump(data[start : start + 9 * layout.INDEX_ENTRY_BYTES])


def test_the_table_of_constants_is_that_of_the_code():
    assert constants_of_the_document() == constants_of_the_code()


@pytest.mark.parametrize(("title", "rows"), field_tables(), ids=lambda value: value if isinstance(value, str) else "")
def test_fields_follow_each_other_without_gap_or_overlap(title, rows):
    stops = [offset + size for offset, size in rows]
    assert [offset for offset, _ in rows[1:]] == stops[:-1]


def test_field_tables_have_the_sizes_of_the_code():
    sizes = {title: (rows[0][0], rows[-1][0] + rows[-1][1]) for title, rows in field_tables()}
    assert sizes == {
        "2. File header": (0, layout.HEADER_BYTES),
        "3. Block": (0, layout.HEADER_BYTES),
        "3.2 Parts": (0, layout.PART_HEADER_BYTES),
        "3.3 Validity": (0, validity._HEADER.size),
        "3.4 Packed numbers": (0, layout.NUMBERS_HEADER_BYTES),
        "3.7 Codec `STRINGS`": (0, strings._HEADER.size),
        "3.10 Codec `COMPRESSED`": (0, compressed._HEADER.size),
        "4.3 Footer": (0, layout.INDEX_ENTRY_BYTES),
        "4.4 Tail": (24, 56),
        "4.8 Zone maps": (0, layout.ZONE_BYTES),
        "6.1 Header": (24, 56),
        "6.2 Record": (0, layout.RECORD_HEADER_BYTES),
    }


def test_index_entries_have_the_fields_of_the_document():
    for dtype, title in ((INDEX_DTYPE, "4.3 Footer"), (ZONE_DTYPE, "4.8 Zone maps")):
        fields = dtype.fields
        assert fields is not None
        assert [(fields[name][1], fields[name][0].itemsize) for name in dtype.names or ()] == dict(field_tables())[
            title
        ]


def test_the_salts_of_the_document_are_those_of_the_filter():
    assert " ".join(f"{salt:08x}" for salt in SALTS.tolist()) in TEXT


def test_the_filter_is_the_one_that_the_document_describes():
    data, reader = example_segment()
    block = next(block for block in reader.blocks() if block.type is layout.BlockType.BLOOM)
    words = np.frombuffer(data[block.offset + HEADER_BYTES :][: block.stored_len], "<u4").reshape(-1, 8)
    expected = np.zeros_like(words)
    for first, second in ((7, 0), (8, 0), (9, 0)):
        h = (first + second * 0x9E3779B97F4A7C15) % 2**64
        h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        h = (h ^ h >> 27) * 0x94D049BB133111EB % 2**64
        h ^= h >> 31
        for word, salt in enumerate(SALTS.tolist()):
            expected[(h >> 32) * len(words) >> 32, word] |= 1 << (h * salt % 2**32 >> 27)
    assert np.array_equal(words, expected)


DUMPS = {
    "wal": dump(example_wal()),
    "tombstones": dump(example_tombstones()),
    "bloom": example_block(layout.BlockType.BLOOM),
    "zones": example_block(layout.BlockType.ZONES),
    "index": example_index(),
}


@pytest.mark.parametrize("name", DUMPS)
def test_the_dump_is_that_of_the_code(name):
    found = re.search(rf"<!-- dump: {name} -->\n```\n(.*?)\n?```", TEXT, re.DOTALL)
    assert found is not None
    assert found[1] == DUMPS[name]


def test_the_example_log_is_a_closed_log():
    assert example_wal() == wal_bytes([b"hello"], closed=True)
