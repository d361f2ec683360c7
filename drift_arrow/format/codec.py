"""The codec contract and the closed table of codecs: ids are part of the format, so there is no plug-in registry."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Protocol

from drift_arrow.errors import UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.plain import PlainCodec
from drift_arrow.format.codecs.zstd import ZstdCodec
from drift_arrow.format.layout import Buffer, CodecId


class Codec(Protocol):
    """Reversible transform of the bytes of one block.

    `codec_id` is part of docs/FORMAT.md and never reused. `decode` rejects any input that it did not produce with
    CorruptionError, and allocates no more than `raw_len` bytes.
    """

    codec_id: ClassVar[CodecId]

    def encode(self, raw: Buffer) -> Buffer:
        """Stored bytes of `raw`."""
        ...

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """The `raw_len` bytes that became `stored`; `path` and `offset` locate `stored` for errors."""
        ...


PLAIN: Final = PlainCodec()
ZSTD: Final = ZstdCodec()

CODECS: Final[Mapping[int, Codec]] = MappingProxyType({codec.codec_id: codec for codec in (PLAIN, ZSTD)})


def codec_of(codec_id: int, *, path: str) -> Codec:
    """The codec of an id that was read from verified bytes.

    Raises
    ------
    UnsupportedFormatError
        This version knows no such codec.
    """
    codec = CODECS.get(codec_id)
    if codec is None:
        message = f"block uses an unknown codec: upgrade drift_arrow; path={path!r} codec={codec_id}"
        raise UnsupportedFormatError(message)
    return codec


def choose(raw: Buffer) -> tuple[Codec, Buffer]:
    """Encode `raw` with the codec that pays: zstd if it saves at least an eighth, else plain."""
    view = byte_view(raw)
    compressed = ZSTD.encode(view)
    if len(compressed) * 8 <= len(view) * 7:
        return ZSTD, compressed
    return PLAIN, view
