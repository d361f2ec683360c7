import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from drift_arrow.errors import CorruptionError, UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codec import BYTE_CODECS, PLAIN, ZSTD, ByteCodec, choose, codec_of
from drift_arrow.format.layout import CodecId
from tests.format.samples import DAMAGE, outcome

SAMPLES = {
    "nothing": b"",
    "one byte": b"\0",
    "text": b"the same words " * 300,
    "zeros": bytes(100_000),
    "noise": np.random.default_rng(3).bytes(10_000),
}


class CodecTests:
    """What every codec of bytes must do; subclasses name the codec."""

    codec: ByteCodec

    @pytest.mark.parametrize("raw", SAMPLES.values(), ids=SAMPLES)
    def test_bytes_come_back(self, raw):
        stored = memoryview(bytes(self.codec.encode(raw)))
        assert bytes(self.codec.decode(stored, len(raw), path="p", offset=0)) == raw

    def test_a_read_only_array_can_be_encoded(self):
        array = np.arange(1000, dtype=np.float32)
        array.flags.writeable = False
        stored = memoryview(bytes(self.codec.encode(array)))
        assert bytes(self.codec.decode(stored, array.nbytes, path="p", offset=0)) == array.tobytes()

    def test_equal_bytes_have_equal_stored_bytes(self):
        assert bytes(self.codec.encode(SAMPLES["text"])) == bytes(self.codec.encode(SAMPLES["text"]))

    @pytest.mark.parametrize("wrong", [0, 4499, 4501, 1 << 40])
    def test_another_length_is_damage_and_allocates_nothing(self, wrong):
        stored = memoryview(bytes(self.codec.encode(SAMPLES["text"])))
        with pytest.raises(CorruptionError) as caught:
            self.codec.decode(stored, wrong, path="p", offset=64)
        assert (caught.value.path, caught.value.offset) == ("p", 64)

    def test_every_truncation_is_damage(self):
        stored = memoryview(bytes(self.codec.encode(SAMPLES["text"])))
        for length in range(0, len(stored), 7):
            with pytest.raises(CorruptionError):
                self.codec.decode(stored[:length], len(SAMPLES["text"]), path="p", offset=0)

    def test_every_flipped_byte_is_damage_or_decodes_to_the_declared_length(self):
        # a block's checksum comes before its codec; this is what happens if a hostile file has a right one
        raw = SAMPLES["text"][:600]
        stored = bytes(self.codec.encode(raw))
        for position in range(len(stored)):
            changed = bytearray(stored)
            changed[position] ^= 0xFF
            decoded, error = outcome(self._decode, memoryview(changed), len(raw))
            assert isinstance(error, DAMAGE) or len(decoded) == len(raw)

    def _decode(self, stored, raw_len):
        return self.codec.decode(stored, raw_len, path="p", offset=0)


class TestPlain(CodecTests):
    codec = PLAIN

    def test_nothing_is_copied(self):
        array = np.arange(10, dtype=np.uint8)
        stored = byte_view(self.codec.encode(array))
        decoded = np.frombuffer(self.codec.decode(stored, 10, path="p", offset=0), dtype=np.uint8)
        assert np.shares_memory(decoded, array)


class TestZstd(CodecTests):
    codec = ZSTD

    def test_a_frame_that_declares_terabytes_is_damage_before_anything_is_allocated(self):
        bomb = zstandard.ZstdCompressor().compress(bytes(1 << 20))
        # the content size of a frame of this length stands in four bytes after magic and descriptor
        forged = bomb[:5] + (0xFFFFFFF0).to_bytes(4, "little") + bomb[9:]
        with pytest.raises(CorruptionError, match="declares another size"):
            self.codec.decode(memoryview(forged), 1 << 20, path="p", offset=0)

    def test_a_frame_without_its_size_is_damage(self):
        frame = zstandard.ZstdCompressor(write_content_size=False).compress(b"a" * 100)
        with pytest.raises(CorruptionError):
            self.codec.decode(memoryview(frame), 100, path="p", offset=0)

    def test_bytes_after_the_frame_are_damage(self):
        frame = zstandard.ZstdCompressor().compress(b"a" * 100)
        with pytest.raises(CorruptionError):
            self.codec.decode(memoryview(frame + b"more"), 100, path="p", offset=0)


@pytest.mark.parametrize("codec", BYTE_CODECS)
@given(raw=st.binary(max_size=2000))
def test_any_bytes_come_back(codec, raw):
    stored = memoryview(bytes(codec.encode(raw)))
    assert bytes(codec.decode(stored, len(raw), path="p", offset=0)) == raw


def test_each_codec_has_its_id():
    assert [codec_of(number, path="p") for number in (CodecId.PLAIN, CodecId.ZSTD)] == [PLAIN, ZSTD]


def test_an_unknown_id_asks_for_an_upgrade():
    with pytest.raises(UnsupportedFormatError, match="upgrade drift_arrow; path='p' codec=7"):
        codec_of(7, path="p")


def test_zstd_is_chosen_if_it_saves_an_eighth():
    assert choose(SAMPLES["text"]).codec == CodecId.ZSTD
    assert choose(SAMPLES["noise"]).codec == CodecId.PLAIN
    assert choose(b"").codec == CodecId.PLAIN
