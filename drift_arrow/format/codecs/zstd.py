"""One zstd frame that declares its content size."""

from __future__ import annotations

from typing import ClassVar, Final

import zstandard

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import Buffer, CodecId

_LEVEL: Final = 3


class ZstdCodec:
    """Stored bytes are one zstd frame (RFC 8878) without dictionary; the block's checksum covers it."""

    codec_id: ClassVar[CodecId] = CodecId.ZSTD

    def encode(self, raw: Buffer) -> bytes:
        """Compress `raw` at level 3."""
        # A context per call: it is not safe to share one between threads, and costs microseconds.
        return zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True).compress(byte_view(raw))

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """Decompress to exactly `raw_len` bytes, or raise CorruptionError."""
        try:
            # The decompressor trusts the size in the frame and ignores `max_output_size` if there is one: a forged
            # frame of a few bytes would allocate terabytes. That the content has this size it checks itself.
            declared = zstandard.get_frame_parameters(stored).content_size
            if declared != raw_len:
                message = f"zstd frame declares another size than its block; frame={declared} raw_len={raw_len}"
                raise CorruptionError(message, path=path, offset=offset)
            raw = zstandard.ZstdDecompressor().decompress(stored, max_output_size=raw_len, allow_extra_data=False)
        except zstandard.ZstdError as err:
            raise CorruptionError(f"not a zstd frame; cause={err}", path=path, offset=offset) from err
        return memoryview(raw)
