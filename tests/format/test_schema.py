import pyarrow as pa
import pytest

from drift_arrow.errors import CorruptionError, LimitExceededError
from drift_arrow.format.layout import MAX_SCHEMA_BYTES
from drift_arrow.format.schema import decode_schema, encode_schema
from tests.format.samples import arrays

WIDE = pa.schema(
    [
        pa.field(name, array.type, nullable=name in {"null", "list"}, metadata={"k": "v"})
        for name, array in arrays().items()
    ],
    metadata={"owner": "tests", b"\xff": b"\0"},
)


def test_names_types_nullability_and_metadata_come_back():
    decoded = decode_schema(encode_schema(WIDE), path="p", offset=0)
    assert decoded.equals(WIDE, check_metadata=True)


def test_a_schema_past_the_limit_is_refused():
    with pytest.raises(LimitExceededError, match="drop columns or metadata"):
        encode_schema(pa.schema([], metadata={"k": "v" * MAX_SCHEMA_BYTES}))


def test_too_many_bytes_are_damage_before_they_are_parsed():
    with pytest.raises(CorruptionError, match="too large"):
        decode_schema(bytes(MAX_SCHEMA_BYTES + 1), path="p", offset=0)


@pytest.mark.parametrize("data", [b"", b"no schema", bytes(32), b"\xff" * 32])
def test_bytes_that_are_no_schema_are_damage(data):
    with pytest.raises(CorruptionError, match="not an Arrow schema") as caught:
        decode_schema(data, path="p", offset=33)
    assert (caught.value.path, caught.value.offset) == ("p", 33)


def test_every_truncation_is_damage():
    data = bytes(encode_schema(pa.schema([("a", pa.int64())])))
    for length in range(len(data)):
        with pytest.raises(CorruptionError):
            decode_schema(data[:length], path="p", offset=0)
