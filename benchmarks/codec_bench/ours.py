"""The codecs of drift: through the format, from stored bytes to an Arrow array, and the compiled kernels alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codec_bench.peers import Packed, Peer
from drift_arrow.format.codecs.part import ColumnBlock
from drift_arrow.format.column_block import open_column
from drift_arrow.format.column_encoder import ColumnEncoder
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId
from drift_arrow.format.warm_column import WarmColumn
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.floats import decode_floats, encode_floats
from drift_arrow.kernels.integers import decode_integers, encode_integers
from drift_arrow.kernels.streaming import STREAM_BYTES

_EXTENT_ROWS: Final = 65_536
_LARGEST_BLOCK: Final = 16 << 20


class Drift:
    """Blocks as a segment stores them, without their headers of 64 bytes.

    Parameters
    ----------
    name, profile : str
    block_rows : int or None
        Most rows of a block; None for as many as fit.
    is_parsed : bool
        Do not count parsing and checking the blocks: as a reader does that reads them again, and as Vortex is measured.
    """

    def __init__(
        self, name: str, *, profile: str = "hot", block_rows: int | None = _EXTENT_ROWS, is_parsed: bool = False
    ) -> None:
        self.name, self.is_encoder = name, not is_parsed
        self._profile, self._block_rows, self._is_parsed = profile, block_rows, is_parsed

    def encode(self, array: pa.Array) -> Packed:
        """By the encoding that takes the least room."""
        rows = self._block_rows or _LARGEST_BLOCK * 8 // array.type.bit_width
        encoder = ColumnEncoder(array.type, self._profile)
        starts = range(0, len(array), rows)
        blocks = [_Block(encoder, array.slice(start, rows)) for start in starts]
        # to open what is compressed is to decompress it
        is_parsed = self._is_parsed and not any(block.is_compressed for block in blocks)
        parsed = [block.open() for block in blocks] if is_parsed else []

        def decode() -> pa.Array:
            opened = parsed or map(_Block.open, blocks)
            return next(iter(opened)).read() if len(blocks) == 1 else _joined(opened, len(array), array.type)

        return Packed(sum(block.size for block in blocks), decode, lambda: described(blocks[0].open().describe()))


class Kernel:
    """Compiled code alone: nothing is parsed or checked, and there is one scheme for all values."""

    name = "drift-kernel"
    is_encoder = True

    def encode(self, array: pa.Array) -> Packed:
        """The whole array at once."""
        encoded = _encode(array.to_numpy())
        return Packed(encoded.size_bytes, lambda: pa.array(_decode(encoded)), str)


def _joined(blocks: Iterable[ColumnBlock], n_values: int, kind: pa.DataType) -> pa.Array:
    """One array of all blocks, as the reader of a segment makes it."""
    values, place = aligned(n_values, np.dtype(kind.to_pandas_dtype())), 0
    streams = values.nbytes >= STREAM_BYTES
    for block in blocks:
        WarmColumn(block).read_into(values[place : place + block.n_values], streams=streams)
        place += block.n_values
    return pa.Array.from_buffers(kind, n_values, [None, pa.py_buffer(values)])


class _Block:
    def __init__(self, encoder: ColumnEncoder, rows: pa.Array) -> None:
        self._kind, self._n_values = rows.type, len(rows)
        self._encoded = encoder.encode(rows)
        self._stored = memoryview(self._encoded.stored)
        self.size = self._stored.nbytes
        self.is_compressed = self._encoded.codec in {CodecId.ZSTD, CodecId.COMPRESSED}

    def open(self) -> ColumnBlock:
        codec, _, raw_len = self._encoded
        return open_column(self._stored, codec, raw_len, self._kind, self._n_values, dictionary=None, path="", offset=0)


def described(encoding: Encoding) -> str:
    """The tree of a block in one line: ``dictionary(integers[frame:64] w6 floats[alp:3] w21..28 x12)``."""
    inner = " ".join(map(described, encoding.children))
    words = f"{encoding.name}({inner})" if inner else encoding.name
    words += f"[{encoding.detail}]" if encoding.detail else ""
    if encoding.max_width is not None:
        words += f" w{encoding.min_width}..{encoding.max_width}"
    return words + (f" x{encoding.n_exceptions}" if encoding.n_exceptions else "")


def _encode(values: NDArray[Any]) -> EncodedFloats | EncodedIntegers:
    return encode_floats(values) if values.dtype.kind == "f" else encode_integers(values)


def _decode(encoded: EncodedFloats | EncodedIntegers) -> NDArray[Any]:
    return decode_floats(encoded) if isinstance(encoded, EncodedFloats) else decode_integers(encoded)


def ours() -> list[Peer]:
    """Blocks of the rows of an extent, read from their bytes or parsed before; the largest there are; kernels."""
    return [
        Drift("drift"),
        Drift("drift-parsed", is_parsed=True),
        Drift("drift-16MiB", block_rows=None),
        Drift("drift-cold", profile="cold"),
        Kernel(),
    ]
