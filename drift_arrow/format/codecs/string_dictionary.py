"""The zstd dictionary of a column: strings that occur in many of its frames, stored once."""

from __future__ import annotations

from typing import Final

import zstandard

from drift_arrow.format.layout import Buffer

STRING_LEVEL: Final = 3
"""zstd level of frames that are to be written fast."""


class StringDictionary:
    """Raw content that zstd frames may refer to. Any bytes will do, so that a damaged one cannot fail to load.

    Parameters
    ----------
    data : buffer

    Notes
    -----
    Digesting it costs more than decompressing a frame with it: make one per column and keep it. Safe to use by many
    threads; what `decompressor` and `compressor` return is not.
    """

    def __init__(self, data: Buffer) -> None:
        self.data = bytes(data)
        self._content = zstandard.ZstdCompressionDict(self.data, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        # digests for decompression, which the content then keeps
        zstandard.ZstdDecompressor(dict_data=self._content)

    def decompressor(self) -> zstandard.ZstdDecompressor:
        """A new context that refers to it."""
        return zstandard.ZstdDecompressor(dict_data=self._content)

    def compressor(self, level: int) -> zstandard.ZstdCompressor:
        """A new context that refers to it."""
        return zstandard.ZstdCompressor(
            level=level, dict_data=self._content, write_content_size=True, write_dict_id=False
        )
