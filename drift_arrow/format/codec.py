"""The codec contract and the closed table of codecs: ids are part of the format, so there is no plug-in registry."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, ClassVar, Final, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.errors import UnsupportedFormatError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.floats import FloatsCodec
from drift_arrow.format.codecs.integers import IntegersCodec
from drift_arrow.format.codecs.plain import PlainCodec
from drift_arrow.format.codecs.zstd import ZstdCodec
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES, Buffer, CodecId
from drift_arrow.format.numbers import number_codec, number_dtype, split_numbers


class Codec(Protocol):
    """Reversible transform of the bytes of one block.

    `codec_id` is part of docs/FORMAT.md and never reused. `decode` rejects any input that no encoder produced with
    CorruptionError, and allocates little more than `raw_len` bytes.
    """

    codec_id: ClassVar[CodecId]

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """The `raw_len` bytes that became `stored`; `path` and `offset` locate `stored` for errors."""
        ...


class ByteCodec(Codec, Protocol):
    """A codec of any bytes."""

    def encode(self, raw: Buffer) -> memoryview | bytes:
        """Stored bytes of `raw`."""
        ...


class NumberCodec(Codec, Protocol):
    """A codec of numbers, whose raw bytes are what `format.numbers` says."""

    def encode_numbers(self, values: NDArray[Any], validity: NDArray[np.uint8]) -> bytes:
        """Stored bytes of (n,) numbers and their bitmap, which is empty without nulls."""
        ...


class Encoded(NamedTuple):
    """Stored bytes of a block, and what a reader must know to decode them."""

    codec: Codec
    stored: memoryview | bytes
    raw_len: int


PLAIN: Final = PlainCodec()
ZSTD: Final = ZstdCodec()
INTEGERS: Final = IntegersCodec()
FLOATS: Final = FloatsCodec()

BYTE_CODECS: Final[tuple[ByteCodec, ...]] = (PLAIN, ZSTD)
_NUMBER_CODECS: Final[tuple[NumberCodec, ...]] = (INTEGERS, FLOATS)
NUMBER_CODECS: Final = MappingProxyType({int(codec.codec_id): codec for codec in _NUMBER_CODECS})

_ALL: Final[tuple[Codec, ...]] = (*BYTE_CODECS, *_NUMBER_CODECS)
CODECS: Final = MappingProxyType({int(codec.codec_id): codec for codec in _ALL})


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


def choose(raw: Buffer) -> Encoded:
    """Encode `raw` with the codec that pays: zstd if it saves at least an eighth, else plain."""
    view = byte_view(raw)
    compressed = ZSTD.encode(view)
    if len(compressed) * 8 <= len(view) * 7:
        return Encoded(ZSTD, compressed, len(view))
    return Encoded(PLAIN, view, len(view))


def choose_for_rows(rows: pa.Array, stream: Buffer) -> Encoded:
    """Encode rows of a column in plain form with the codec that pays.

    Parameters
    ----------
    rows : pa.Array
    stream : buffer
        The rows as an Arrow stream.

    Returns
    -------
    Encoded
        Numbers by the codec of their type, if it saves at least an eighth and takes at most a twentieth more than what
        `choose` makes of the stream, since it is read many times faster; anything else as `choose` has it.
    """
    other = choose(stream)
    dtype = number_dtype(rows.type)
    # what fits into the page of its header anyway takes no less room for being packed
    if dtype is None or len(byte_view(stream)) <= PAGE_BYTES - HEADER_BYTES:
        return other
    numbers, codec = split_numbers(rows), NUMBER_CODECS[number_codec(dtype)]
    stored = codec.encode_numbers(*numbers)
    if len(stored) * 8 <= numbers.raw_len * 7 and len(stored) * 20 <= len(other.stored) * 21:
        return Encoded(codec, stored, numbers.raw_len)
    return other
