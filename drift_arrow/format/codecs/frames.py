"""Bytes cut into frames that decompress one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import zstandard
from numpy.typing import NDArray

from drift_arrow.format.codecs.part import Cursor, Source
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.layout import ARRAY_ALIGNMENT, padding_bytes

_ENTRY: Final = np.dtype([("stored", "<u4"), ("raw", "<u4")])


class FrameSettings(NamedTuple):
    """How strings are compressed: rows in a frame, zstd level, dictionary."""

    rows: int
    level: int
    dictionary: StringDictionary | None = None

    def compressor(self) -> zstandard.ZstdCompressor:
        """A context for one thread."""
        if self.dictionary is not None:
            return self.dictionary.compressor(self.level)
        return zstandard.ZstdCompressor(level=self.level, write_content_size=True)


def compress_frames(data: memoryview, cuts: Sequence[int], settings: FrameSettings) -> bytes:
    """Compress the bytes between any two cuts by themselves, or keep them where that saves nothing."""
    compressor = settings.compressor()
    stored, table = [], np.zeros(len(cuts) - 1, _ENTRY)
    for entry, start, stop in zip(table, cuts[:-1], cuts[1:], strict=True):
        raw = data[start:stop]
        compressed = compressor.compress(raw)
        stored.append(compressed if len(compressed) < len(raw) else raw)
        entry["stored"], entry["raw"] = len(stored[-1]), len(raw)
    joined = b"".join(stored)
    return table.tobytes() + joined + bytes(padding_bytes(len(joined), ARRAY_ALIGNMENT))


class Frames:
    """What `compress_frames` wrote.

    Parameters
    ----------
    cursor : Cursor
        Stands at the table.
    n_frames : int
    dictionary : StringDictionary or None
        That the frames were written with.
    source : Source

    Attributes
    ----------
    raw_sizes : (n_frames,) int64
        Bytes of each frame when it is decompressed.

    Raises
    ------
    CorruptionError
        Sizes that contradict each other.
    """

    def __init__(self, cursor: Cursor, n_frames: int, dictionary: StringDictionary | None, source: Source) -> None:
        table = np.frombuffer(cursor.take(n_frames * _ENTRY.itemsize), _ENTRY)
        self._dictionary, self._source = dictionary, source
        self._stops = table["stored"].astype(np.int64).cumsum()
        self.raw_sizes = table["raw"].astype(np.int64)
        self._data = cursor.take(int(self._stops[-1]) if n_frames else 0)
        if (table["stored"] > table["raw"]).any():
            raise source.damage("holds frames that are larger than their content")

    @property
    def with_dictionary(self) -> bool:
        """Whether they need the dictionary of their column."""
        return self._dictionary is not None

    @property
    def n_plain(self) -> int:
        """Frames that are not compressed."""
        return int((np.diff(self._stops, prepend=0) == self.raw_sizes).sum())

    def read(self, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The content of some frames, joined; raises CorruptionError."""
        context = zstandard.ZstdDecompressor() if self._dictionary is None else self._dictionary.decompressor()
        # frame by frame, so that their memory is used again: joining them at the end takes half as long again
        content, start = np.empty(int(self.raw_sizes[numbers].sum()), np.uint8), 0
        for number in numbers.tolist():
            stop = start + int(self.raw_sizes[number])
            content.data[start:stop] = self._read(number, context)
            start = stop
        return content

    def _read(self, number: int, context: zstandard.ZstdDecompressor) -> bytes | memoryview:
        stop, raw_size = int(self._stops[number]), int(self.raw_sizes[number])
        stored = self._data[int(self._stops[number - 1]) if number else 0 : stop]
        if len(stored) == raw_size:
            return stored
        try:
            # the decompressor believes the size in a frame, however large
            if zstandard.get_frame_parameters(stored).content_size != raw_size:
                raise self._source.damage(f"holds a frame of another size than it declares; raw_size={raw_size}")
            return context.decompress(stored, max_output_size=raw_size, allow_extra_data=False)
        except zstandard.ZstdError as err:
            raise self._source.damage(f"holds no zstd frame where one should be; cause={err}") from err
