import pytest

from drift_arrow.errors import CorruptionError, InvalidArgumentError, UnsupportedFormatError
from drift_arrow.format.checksum import xxh3_64
from drift_arrow.format.file_header import FileHeader, decode_file_header
from drift_arrow.format.layout import BITMAP_MAGIC, HEADER_BYTES, SEGMENT_MAGIC
from tests.format.samples import UUID_1, flipped

HEADER = FileHeader(magic=SEGMENT_MAGIC, uuid=UUID_1, detail=bytes(range(32)))


def resealed(data):
    return data[:-8] + xxh3_64(data[:-8]).to_bytes(8, "little")


def test_a_header_comes_back_from_any_offset():
    assert decode_file_header(HEADER.encode() + b"more", SEGMENT_MAGIC, path="p", offset=8) == HEADER
    with pytest.raises(CorruptionError) as caught:
        decode_file_header(flipped(HEADER.encode(), 5), SEGMENT_MAGIC, path="p", offset=8)
    assert caught.value.offset == 8


def test_a_header_has_64_bytes_and_starts_with_its_magic():
    assert len(HEADER.encode()) == HEADER_BYTES
    assert HEADER.encode().startswith(SEGMENT_MAGIC)


def test_every_flipped_byte_is_damage_at_the_start_of_the_header():
    for position in range(HEADER_BYTES):
        with pytest.raises(CorruptionError) as caught:
            decode_file_header(flipped(HEADER.encode(), position), SEGMENT_MAGIC, path="p")
        assert (caught.value.path, caught.value.offset) == ("p", 0)


def test_every_truncation_is_damage():
    for length in range(HEADER_BYTES):
        with pytest.raises(CorruptionError, match="cut off"):
            decode_file_header(HEADER.encode()[:length], SEGMENT_MAGIC, path="p")


@pytest.mark.parametrize("position", [4, 6, 7], ids=["version", "reserved", "reserved too"])
def test_an_intact_header_of_a_newer_version_asks_for_an_upgrade(position):
    newer = bytearray(HEADER.encode())
    newer[position] = 2
    with pytest.raises(UnsupportedFormatError, match="upgrade drift_arrow"):
        decode_file_header(resealed(newer), SEGMENT_MAGIC, path="p")


def test_a_header_of_another_kind_of_file_is_refused():
    with pytest.raises(CorruptionError, match="not a DBIT header"):
        decode_file_header(HEADER.encode(), BITMAP_MAGIC, path="p")


@pytest.mark.parametrize("uuid", ["", "no uuid", UUID_1.replace("-", ""), UUID_1.upper().replace("1", "A")])
def test_a_uuid_has_one_spelling(uuid):
    with pytest.raises(InvalidArgumentError, match="UUID"):
        FileHeader(magic=SEGMENT_MAGIC, uuid=uuid).encode()
