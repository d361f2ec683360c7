import numpy as np
import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError
from drift_arrow.format.batch import decode_batch, encode_batch
from tests.format.samples import arrays, outcome, same

ARRAYS = arrays()
SCHEMA = pa.schema([pa.field("a", pa.int64(), metadata={"k": "v"})], metadata={"owner": "tests"})
BATCH = pa.record_batch([pa.array([1, None, 3])], schema=SCHEMA)


def decoded(payload, schema=SCHEMA):
    return decode_batch(payload, schema, path="p", offset=64)


@pytest.mark.parametrize("name", ARRAYS)
def test_every_type_of_column_comes_back(name):
    batch = pa.record_batch({"a": ARRAYS[name]})
    table = decoded(encode_batch(batch), batch.schema)
    assert same(table.column("a"), pa.chunked_array([ARRAYS[name]]))


def test_a_table_of_several_chunks_and_dictionaries_comes_back():
    chunks = [pa.array(words).dictionary_encode() for words in (["a", "b"], ["c", "b", "d"])]
    table = pa.table({"a": pa.chunked_array(chunks)})
    assert decoded(encode_batch(table), table.schema).column("a").to_pylist() == ["a", "b", "c", "b", "d"]


def test_a_batch_without_rows_comes_back():
    assert decoded(encode_batch(BATCH.slice(0, 0))).num_rows == 0


def test_the_table_has_the_metadata_of_the_wanted_schema():
    plain = pa.record_batch([BATCH.column(0)], names=["a"])
    assert decoded(encode_batch(plain)).schema.equals(SCHEMA, check_metadata=True)


def test_the_table_points_into_the_payload():
    payload = encode_batch(BATCH)
    values = decoded(payload).column("a").chunk(0).buffers()[1]
    assert payload.address <= values.address < payload.address + payload.size


@pytest.mark.parametrize(
    "schema",
    [pa.schema([("a", pa.int32())]), pa.schema([("b", pa.int64())]), pa.schema([("a", pa.int64()), ("b", pa.int8())])],
)
def test_a_stream_of_another_schema_is_damage(schema):
    with pytest.raises(CorruptionError, match="another schema") as caught:
        decoded(encode_batch(BATCH), schema)
    assert (caught.value.path, caught.value.offset) == ("p", 64)


@pytest.mark.parametrize("payload", [b"", b"no stream", bytes(64), b"\xff" * 64])
def test_bytes_that_are_no_stream_are_damage(payload):
    with pytest.raises(CorruptionError, match="not an Arrow stream"):
        decoded(payload)


def test_offsets_that_leave_their_buffer_are_damage():
    batch = pa.record_batch({"a": pa.array(["abc", "def"])})
    payload = bytearray(encode_batch(batch))
    place = payload.index(np.array([0, 3, 6], dtype=np.int32).tobytes())
    payload[place + 8 : place + 12] = np.int32(1 << 20).tobytes()
    with pytest.raises(CorruptionError):
        decoded(payload, batch.schema)


def test_a_flipped_byte_past_the_checksum_raises_nothing_but_damage():
    payload = bytes(encode_batch(pa.record_batch({"a": pa.array(["text", None]), "b": pa.array([[1], []])})))
    schema = pa.ipc.open_stream(payload).schema
    for position in range(len(payload)):
        changed = bytearray(payload)
        changed[position] ^= 0xFF
        table, error = outcome(decoded, changed, schema)
        assert error is not None or table.schema == schema
