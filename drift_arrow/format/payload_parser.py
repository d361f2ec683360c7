"""Payload blocks of a segment, parsed."""

from __future__ import annotations

from drift_arrow.format.codec import codec_of
from drift_arrow.format.codecs.numbers import FloatsBlock
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.column_block import open_column
from drift_arrow.format.layout import BlockType
from drift_arrow.format.segment_file import SegmentFile
from drift_arrow.format.single_floats import packed_place, single_floats
from drift_arrow.format.warm_column import WarmColumn


class PayloadParser:
    """Parses payload blocks, and keeps the dictionaries that some of them need.

    Parameters
    ----------
    file : SegmentFile
    """

    def __init__(self, file: SegmentFile) -> None:
        self._file = file
        self._dictionaries: dict[int, StringDictionary] = {}
        # of a fetched file they are at hand now, among the tables
        for column in range(0 if file.file.is_mapped else len(file.meta.schema)):
            self._dictionary(column)

    def __call__(self, number: int, stored: memoryview) -> WarmColumn:
        """The block of a number, of its stored bytes; raises CorruptionError."""
        _, codec, column, n_values, _, _, raw_len, _ = self._file.index.entries[number].item()
        offset, descriptor = self._file.blocks.start(number), self._file.file.descriptor
        block = open_column(
            stored,
            codec,
            raw_len,
            self._file.meta.schema.field(column).type,
            n_values,
            dictionary=self._dictionary(column),
            path=self._file.path,
            offset=offset,
        )
        if not isinstance(block, FloatsBlock):
            return WarmColumn(block)
        place = packed_place(block.encoded, descriptor, offset, len(stored))
        return WarmColumn(block, single_floats(block.encoded, place))

    def _dictionary(self, column: int) -> StringDictionary | None:
        """What the strings of a column may refer to."""
        numbers = self._file.index.numbers(BlockType.DICTIONARY, column)
        if numbers and column not in self._dictionaries:
            number, path = numbers[0], self._file.path
            stored, offset = self._file.blocks.read(numbers)[number], self._file.blocks.start(number)
            entry = self._file.index.entries[number]
            codec = codec_of(int(entry["codec"]), path=path)
            raw = codec.decode(stored, int(entry["raw_len"]), path=path, offset=offset)
            self._dictionaries[column] = StringDictionary(raw)
        return self._dictionaries.get(column)
