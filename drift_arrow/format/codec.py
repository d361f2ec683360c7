"""The codecs of bytes, for blocks that hold no column, and for streams: plain, or one zstd frame."""

from __future__ import annotations

from types import MappingProxyType
from typing import ClassVar, Final, Protocol

from drift_arrow.errors import UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.codecs.plain import PlainCodec
from drift_arrow.format.codecs.zstd import ZstdCodec
from drift_arrow.format.layout import Buffer, CodecId


class ByteCodec(Protocol):
    """Reversible transform of the bytes of one block.

    `codec_id` is part of docs/FORMAT.md and never reused. `decode` rejects any input that no encoder produced with
    CorruptionError, and allocates little more than `raw_len` bytes.
    """

    codec_id: ClassVar[CodecId]

    def encode(self, raw: Buffer) -> memoryview | bytes:
        """Stored bytes of `raw`."""
        ...

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """The `raw_len` bytes that became `stored`; `path` and `offset` locate `stored` for errors."""
        ...


PLAIN: Final = PlainCodec()
ZSTD: Final = ZstdCodec()

BYTE_CODECS: Final[tuple[ByteCodec, ...]] = (PLAIN, ZSTD)
_CODECS: Final = MappingProxyType({int(codec.codec_id): codec for codec in BYTE_CODECS})


def codec_of(codec_id: int, *, path: str) -> ByteCodec:
    """The codec of an id that was read from verified bytes.

    Raises
    ------
    UnsupportedFormatError
        This version knows no such codec of bytes.
    """
    codec = _CODECS.get(codec_id)
    if codec is None:
        message = f"block uses an unknown codec: upgrade drift_arrow; path={path!r} codec={codec_id}"
        raise UnsupportedFormatError(message)
    return codec


def choose(raw: Buffer) -> Encoded:
    """Encode `raw` with the codec that pays: zstd if it saves at least an eighth, else plain."""
    view = byte_view(raw)
    compressed = ZSTD.encode(view)
    if len(compressed) * 8 <= len(view) * 7:
        return Encoded(CodecId.ZSTD, compressed, len(view))
    return Encoded(CodecId.PLAIN, view, len(view))
