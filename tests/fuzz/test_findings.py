"""What fuzzing found, kept as tests."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format.column_block import open_column
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.layout import CodecId
from drift_arrow.format.schema import decode_schema, encode_schema


@pytest.mark.parametrize("kind", [pa.list_(pa.int8()), pa.null(), pa.bool_(), pa.month_day_nano_interval()])
def test_shared_values_in_a_column_of_a_type_that_has_none_are_damage(kind):
    rows = pa.array(["some", "words", "of", "several"] * 1000).dictionary_encode()
    words = ColumnEncoder(rows.type, "hot").encode(rows)
    assert words.codec == CodecId.DICTIONARY
    with pytest.raises(CorruptionError, match="where there cannot be one"):
        open_column(
            memoryview(words.stored), words.codec, words.raw_len, kind, 4000, dictionary=None, path="p", offset=0
        )


def test_frames_with_room_for_billions_of_rows_cost_no_memory():
    encoded = ColumnEncoder(pa.binary(), "hot").encode(pa.array([bytes([row % 251]) * 9 for row in range(1000)]))
    assert encoded.codec == CodecId.STRINGS
    # no nulls, then the rows of a frame
    stored = memoryview(bytes(encoded.stored[:8]) + (2**32 - 1).to_bytes(4, "little") + bytes(encoded.stored[12:]))
    block = open_column(stored, encoded.codec, encoded.raw_len, pa.binary(), 1000, dictionary=None, path="p", offset=0)
    assert block.take(np.array([7])).to_pylist() == [bytes([7]) * 9]


@pytest.mark.parametrize("name", ["column", "child"])
def test_a_name_in_a_schema_that_is_not_utf8_is_damage(name):
    schema = pa.schema([pa.field("column", pa.struct([pa.field("child", pa.int8())]))])
    data = bytearray(encode_schema(schema).to_pybytes())
    data[data.index(name.encode())] = 0xFF
    with pytest.raises(CorruptionError, match="not an Arrow schema"):
        decode_schema(data, path="p", offset=0)
