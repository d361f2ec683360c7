import numpy as np
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import encode_block
from drift_arrow.format.block_index import INDEX_DTYPE, BlockIndex, index_entry
from drift_arrow.format.layout import NO_COLUMN, PAGE_BYTES, BlockType
from tests.format.samples import UUID_1

# type, column, first row, values, raw bytes
BLOCKS = [
    (BlockType.CODES, NO_COLUMN, 0, 10, 40),
    (BlockType.CODES, NO_COLUMN, 10, 2000, 8000),
    (BlockType.NORMS, NO_COLUMN, 0, 2010, 8040),
    (BlockType.COLUMN, 0, 0, 2010, 99),
    (BlockType.COLUMN, 3, 0, 2010, 77),
]


def entries(blocks=BLOCKS):
    found, offset = [], PAGE_BYTES
    for block_type, column, first_row, n_values, raw_bytes in blocks:
        header, _ = encode_block(
            UUID_1, block_type, bytes(raw_bytes), n_values=n_values, first_row=first_row, column=column
        )
        found.append(index_entry(header, offset))
        offset += header.size_bytes
    return np.array(found, dtype=INDEX_DTYPE), offset


def changed(number, name, value):
    array, _ = entries()
    array[name][number] = value
    return BlockIndex(array)


def check(index):
    index.check_layout(entries()[1], path="p", offset=64)


def test_blocks_that_fill_the_file_in_order_pass():
    check(BlockIndex(entries()[0]))


def test_blocks_are_found_by_type_and_column():
    index = BlockIndex(entries()[0])
    assert index.blocks(BlockType.CODES) == slice(0, 2)
    assert index.blocks(BlockType.COLUMN, 3) == slice(4, 5)
    assert index.blocks(BlockType.COLUMN, 1) == slice(4, 4)


def test_rows_find_their_block():
    index = BlockIndex(entries()[0])
    rows = np.array([2009, 0, 9, 10])
    assert index.owners(index.blocks(BlockType.CODES), rows).tolist() == [1, 0, 0, 1]
    assert index.owners(index.blocks(BlockType.COLUMN, 3), rows).tolist() == [4, 4, 4, 4]


@pytest.mark.parametrize(
    ("number", "name", "value"),
    [
        (0, "offset", 0),
        (1, "offset", 2 * PAGE_BYTES + 64),
        (2, "offset", 2**64 - PAGE_BYTES),
        (1, "stored_len", 2**32 - 1),
        (4, "stored_len", PAGE_BYTES),
        (4, "type", BlockType.CODES),
    ],
)
def test_one_entry_out_of_line_is_damage(number, name, value):
    index = changed(number, name, value)
    with pytest.raises(CorruptionError, match="block index contradicts the file") as caught:
        check(index)
    assert (caught.value.path, caught.value.offset) == ("p", 64)


def test_blocks_in_another_order_are_damage():
    array, end = entries([BLOCKS[2], *BLOCKS[:2], *BLOCKS[3:]])
    with pytest.raises(CorruptionError):
        BlockIndex(array).check_layout(end, path="p", offset=64)


def test_a_part_without_gaps_is_covered():
    index = BlockIndex(entries()[0])
    assert index.covers(BlockType.CODES, 2010, 4)
    assert index.covers(BlockType.COLUMN, 2010, None, column=3)


def test_a_part_that_is_missing_or_of_another_width_is_not_covered():
    index = BlockIndex(entries()[0])
    assert not index.covers(BlockType.VECTORS, 2010, 4)
    assert not index.covers(BlockType.CODES, 2011, 4)
    assert not index.covers(BlockType.CODES, 2010, 5)


@pytest.mark.parametrize(
    ("number", "name", "value"),
    [(1, "first_row", 11), (1, "first_row", 2**64 - 10), (0, "first_row", 1), (1, "n_values", 1999)],
)
def test_a_part_with_a_gap_is_not_covered(number, name, value):
    assert not changed(number, name, value).covers(BlockType.CODES, 2010, None)


def test_a_part_with_an_empty_block_is_not_covered():
    array, _ = entries([(BlockType.COLUMN, 0, 0, 5, 10), (BlockType.COLUMN, 0, 5, 0, 10)])
    assert not BlockIndex(array).covers(BlockType.COLUMN, 5, None, column=0)
