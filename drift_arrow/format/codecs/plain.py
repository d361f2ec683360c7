"""Raw bytes as they are: blocks that are scanned in place."""

from __future__ import annotations

from typing import ClassVar

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import Buffer, CodecId


class PlainCodec:
    """Stored bytes are the raw bytes."""

    codec_id: ClassVar[CodecId] = CodecId.PLAIN

    def encode(self, raw: Buffer) -> memoryview:
        """`raw` itself."""
        return byte_view(raw)

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """`stored` itself; raises CorruptionError if it has not `raw_len` bytes."""
        if len(stored) != raw_len:
            message = f"plain block has another length than it declares; stored_len={len(stored)} raw_len={raw_len}"
            raise CorruptionError(message, path=path, offset=offset)
        return stored
