"""Strings of all blocks of a column, which share a zstd dictionary if that pays."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import zstandard

from drift_arrow.format.codecs.frames import FrameSettings
from drift_arrow.format.codecs.part import Encode, Encoded
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.codecs.strings import encode_strings, string_bytes
from drift_arrow.format.codecs.zstd import ZstdCodec

_LEAST_BYTES: Final = 1 << 19
"""Of a block from which a dictionary is made; what less can save, its dictionary takes."""

_DICTIONARY_BYTES: Final = 1 << 16
_SAMPLE_BYTES: Final = 1 << 10
_SEGMENT_BYTES: Final = 200
_STEP_BYTES: Final = 8
"""Parameters of the cover algorithm: length of what it copies, and of what it counts."""


class SharedStrings:
    """Makes a dictionary of the first block that is large enough, and only of that.

    Attributes
    ----------
    dictionary : StringDictionary or None
        That blocks refer to from the one on of which it was made.
    """

    def __init__(self) -> None:
        self.dictionary: StringDictionary | None = None
        self._may_train = True

    def train(
        self, array: pa.Array, settings: FrameSettings, encode: Encode, alone: Encoded, most_bytes: float
    ) -> Encoded:
        """`alone`, or what `encode_strings` makes with a dictionary, if both have fewer stored bytes than the last."""
        if not self._may_train or alone.raw_len < _LEAST_BYTES:
            return alone
        self._may_train = False
        dictionary = _train(string_bytes(array)[0])
        together = encode_strings(array, settings._replace(dictionary=dictionary), encode)
        # it must pay for itself at once, since no other block may follow
        if len(together.stored) + len(ZstdCodec().encode(dictionary.data)) >= most_bytes:
            return alone
        self.dictionary = dictionary
        return together


def _train(data: memoryview) -> StringDictionary:
    """What most of `data` repeats, as raw content: trained tables of frequencies would save nothing at this size."""
    samples = [data[start : start + _SAMPLE_BYTES] for start in range(0, len(data), _SAMPLE_BYTES)]
    trained = zstandard.train_dictionary(
        _DICTIONARY_BYTES, [bytes(x) for x in samples], k=_SEGMENT_BYTES, d=_STEP_BYTES
    )
    return StringDictionary(trained.as_bytes())
