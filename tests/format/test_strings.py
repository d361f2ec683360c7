"""Strings in frames: where they are cut, their dictionary, and what must not be believed."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import zstandard

from drift_arrow.errors import CorruptionError
from drift_arrow.format import shared_strings
from drift_arrow.format.codecs.frames import Frames, FrameSettings
from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.codecs.strings import encode_strings
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.layout import CodecId
from drift_arrow.format.profile import PROFILES
from drift_arrow.format.shared_strings import SharedStrings
from tests.format.columns import names_of, store, stored_as
from tests.format.samples import outcome

WORDS = np.random.default_rng(4).integers(0, 3000, (9000, 6))
SENTENCES = pa.array([" ".join(f"word{word * 7919 % 3001}" for word in row) for row in WORDS])
PHRASES = pa.array([f"{i} {SENTENCES[i * i % 1009]}" for i in range(36_000)])
TYPES = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]


def strings(array, rows=1024, level=3):
    return stored_as(encode_strings(array, FrameSettings(rows, level), encode_numbers), array)


@pytest.mark.parametrize("rows", [1, 7, 1000, 1024, 65_536])
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_frames_may_have_any_number_of_rows(kind, rows):
    array = SENTENCES.slice(0, 2500).cast(kind)
    block = strings(array, rows).open()
    assert block.read().equals(array)
    places = np.array([2499, 0, 6, 7, 8, 999, 1000, 1001, 0])
    assert block.take(places).equals(array.take(pa.array(places)))


def test_rows_are_taken_from_their_frames_only(monkeypatch):
    block, places = strings(SENTENCES).open(), np.array([5000, 3, 5001, 1])
    asked: list[list[int]] = []
    read = Frames.read

    def noting(frames, numbers):
        asked.append(numbers.tolist())
        return read(frames, numbers)

    monkeypatch.setattr(Frames, "read", noting)
    assert block.take(places).equals(SENTENCES.take(pa.array(places)))
    assert asked == [[0, 4]]


def test_what_does_not_compress_is_kept():
    noise = pa.array([np.random.default_rng(i).bytes(16) for i in range(3000)], pa.binary(16))
    column = strings(noise)
    assert column.open().describe().detail == "frames=3 plain=3 rows=1024"
    assert len(column.stored) == 8 + 8 + 3 * 8 + 3000 * 16
    assert column.read().equals(noise)


@pytest.mark.parametrize(("size", "rows"), [(3, 4096), (30, 2048), (500, 256), (1 << 18, 1)])
def test_frames_are_neither_tiny_nor_huge(size, rows):
    random = np.random.default_rng(1)
    array = pa.array([random.bytes(size) for _ in range(max(300_000 // size, 12))])
    assert f"rows={rows}" in store(array).open().describe().detail


def test_a_dictionary_is_made_of_the_first_large_block_and_used_from_then_on():
    small, large = PHRASES.slice(0, 100), [PHRASES.slice(0, 18_000), PHRASES.slice(18_000)]
    encoder = ColumnEncoder(pa.string(), "hot")
    stored = [store(rows, encoder=encoder) for rows in (small, *large)]
    assert [column.dictionary is None for column in stored] == [True, False, False]
    assert ["dictionary" in column.open().describe().detail for column in stored] == [False, True, True]
    dictionary = stored[-1].dictionary
    assert dictionary is not None
    assert 1000 < len(dictionary) <= 65_536
    assert [column.read() for column in stored] == [small, *large]
    assert stored[1].open().take(np.array([17_999, 5])).equals(large[0].take(pa.array([17_999, 5])))
    alone = store(large[0], encoder=encoder_without_training())
    assert len(stored[1].stored) + len(zstandard.compress(dictionary)) < len(alone.stored)


def encoder_without_training():
    encoder = ColumnEncoder(pa.string(), "hot")
    encoder._shared._may_train = False
    return encoder


def test_no_dictionary_is_kept_that_saves_less_than_it_takes():
    random = np.random.default_rng(9)
    keys = pa.array([random.bytes(20).hex() for _ in range(20_000)])
    assert store(keys).dictionary is None


@pytest.mark.parametrize("profile", ["hot", "cold"])
def test_a_dictionary_must_save_an_eighth_where_time_counts(profile, monkeypatch):
    alone, together = Encoded(CodecId.STRINGS, bytes(8000), 1 << 20), 7100
    monkeypatch.setattr(shared_strings, "encode_strings", lambda *_: Encoded(CodecId.STRINGS, bytes(together), 1 << 20))
    # which takes some bytes too
    monkeypatch.setattr(shared_strings, "_train", lambda _: StringDictionary(b""))
    shared, most_bytes = SharedStrings(), PROFILES[profile].most_shared(alone)
    found = shared.train(SENTENCES, FrameSettings(2048, 3), encode_numbers, alone, most_bytes)
    assert len(found.stored) == (8000 if profile == "hot" else 7100)
    assert (shared.dictionary is None) == (profile == "hot")


def test_digits_are_compressed_as_well_as_text():
    random = np.random.default_rng(1)
    keys = pa.array([random.bytes(20).hex() for _ in range(20_000)])
    # no more than the four bits that a digit tells of, and some for each frame
    assert len(store(keys).stored) < 20_000 * 20 * 1.02


def test_a_block_whose_dictionary_is_missing_is_damage():
    stored = store(PHRASES)
    assert stored.dictionary is not None
    with pytest.raises(CorruptionError, match="impossible header of strings"):
        replace(stored, dictionary=None).open()


def test_another_dictionary_is_damage_or_gives_as_many_bytes():
    stored = store(PHRASES)
    for dictionary in (b"", b"x", bytes(1000), np.random.default_rng(1).bytes(65_536)):
        found, error = outcome(replace(stored, dictionary=dictionary).read)
        assert len(found) == len(PHRASES) if error is None else (error.path, error.offset) == ("p", 64)


def test_a_frame_that_declares_terabytes_is_damage_before_anything_is_allocated():
    array = pa.array(["the same words " * 9] * 1000)
    column = strings(array)
    raw_size = 1000 * 135
    frame = column.stored.index(zstandard.FRAME_HEADER)
    assert zstandard.get_frame_parameters(column.stored[frame:]).content_size == raw_size
    size = raw_size.to_bytes(4, "little")
    assert column.stored[frame + 5 : frame + 9] == size
    forged = column.stored[: frame + 5] + (0xFFFFFFF0).to_bytes(4, "little") + column.stored[frame + 9 :]
    with pytest.raises(CorruptionError, match="another size"):
        column.with_stored(forged).read()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()], ids=str)
def test_text_that_is_not_utf_8_is_damage(kind):
    array = pa.array([b"abc", b"\xff\xfe"] * 20)
    column = strings(array)
    forged = replace(column, kind=kind)
    with pytest.raises(CorruptionError, match="impossible strings"):
        forged.read()
    with pytest.raises(CorruptionError, match="impossible strings"):
        forged.open().take(np.array([1]))
    assert column.read().equals(array)


def test_strings_that_repeat_are_codes():
    array = SENTENCES.slice(0, 300).take(pa.array(np.random.default_rng(2).integers(0, 300, 6000)))
    column = store(array)
    assert names_of(column.open().describe()) == ["DICTIONARY", "INTEGERS", "STRINGS", "INTEGERS"]
    assert column.read().equals(array)
