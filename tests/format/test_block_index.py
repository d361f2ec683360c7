import numpy as np
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format.block import encode_block, plain
from drift_arrow.format.block_index import INDEX_DTYPE, BlockIndex, index_entry
from drift_arrow.format.layout import NO_COLUMN, PAGE_BYTES, BlockType
from tests.format.samples import UUID_1

# two extents and a table, in the order of the file: type, column, first row, values, raw bytes
BLOCKS = [
    (BlockType.CODES, NO_COLUMN, 0, 10, 40),
    (BlockType.COLUMN, 0, 0, 10, 99),
    (BlockType.COLUMN, 3, 0, 10, 77),
    (BlockType.CODES, NO_COLUMN, 10, 2000, 8000),
    (BlockType.COLUMN, 0, 10, 1500, 99),
    (BlockType.COLUMN, 0, 1510, 500, 99),
    (BlockType.COLUMN, 3, 10, 2000, 77),
    (BlockType.NORMS, NO_COLUMN, 0, 2010, 8040),
]


def entries(blocks=BLOCKS):
    found, offset = [], PAGE_BYTES
    for block_type, column, first_row, n_values, raw_bytes in blocks:
        header, _ = encode_block(
            UUID_1, block_type, plain(bytes(raw_bytes)), n_values=n_values, first_row=first_row, column=column
        )
        found.append(index_entry(header, offset))
        offset += header.size_bytes
    array = np.array(found, dtype=INDEX_DTYPE)
    return array[np.lexsort((array["first_row"], array["column"], array["type"]))], offset


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
    assert index.numbers(BlockType.NORMS) == range(2, 3)
    assert index.blocks(BlockType.COLUMN, 3) == slice(6, 8)
    assert index.blocks(BlockType.COLUMN, 1) == slice(6, 6)


def test_rows_find_their_block():
    index = BlockIndex(entries()[0])
    rows = np.array([2009, 0, 9, 10])
    assert index.owners(index.blocks(BlockType.CODES), rows).tolist() == [1, 0, 0, 1]
    assert index.owners(index.blocks(BlockType.COLUMN, 0), rows).tolist() == [5, 3, 3, 4]


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


@pytest.mark.parametrize(
    "order",
    [
        [7, 0, 1, 2, 3, 4, 5, 6],
        [0, 1, 2, 3, 4, 5, 7, 6],
        [0, 3, 1, 2, 4, 5, 6, 7],
        [0, 2, 1, 3, 4, 5, 6, 7],
        [3, 4, 5, 6, 0, 1, 2, 7],
    ],
    ids=["table first", "table among extents", "codes together", "columns swapped", "extents swapped"],
)
def test_blocks_in_another_order_are_damage(order):
    array, end = entries([BLOCKS[place] for place in order])
    with pytest.raises(CorruptionError):
        BlockIndex(array).check_layout(end, path="p", offset=64)


def test_tables_lie_behind_the_extents():
    index = BlockIndex(entries()[0])
    assert index.tables_start == index.offsets[2]
    assert index.count(BlockType.NORMS) == 2010


@pytest.mark.parametrize(
    ("rows", "numbers"),
    [((0, 1), [3]), ((9, 11), [3, 4]), ((10, 2010), [4, 5]), ((1509, 1510), [4]), ((5, 5), []), ((2010, 2010), [])],
)
def test_ranges_of_rows_find_their_blocks(rows, numbers):
    index = BlockIndex(entries()[0])
    assert list(index.overlapping(index.blocks(BlockType.COLUMN, 0), *rows)) == numbers


def test_a_block_that_crosses_extents_is_damage():
    BlockIndex(entries()[0]).check_extents(path="p", offset=64)
    array, _ = entries([*BLOCKS[:2], (BlockType.COLUMN, 3, 0, 2010, 77), *BLOCKS[3:6], BLOCKS[7]])
    with pytest.raises(CorruptionError, match="crosses extents"):
        BlockIndex(array).check_extents(path="p", offset=64)


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
