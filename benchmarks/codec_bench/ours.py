"""The codecs of drift: through the format, from stored bytes to an Arrow array, and the compiled kernels alone."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from codec_bench.peers import Packed, Peer
from drift_arrow.format.codec import NUMBER_CODECS
from drift_arrow.format.numbers import join_numbers, number_codec, number_dtype, split_numbers
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.floats import decode_floats, encode_floats
from drift_arrow.kernels.integers import decode_integers, encode_integers

_INTEGER_SCHEMES: Final = ("frame", "delta", "runs", "dictionary")


class Drift:
    """Blocks as a segment stores them, without their headers of 64 bytes.

    Parameters
    ----------
    name : str
    block_rows : int
        Most rows of a block.
    """

    def __init__(self, name: str = "drift", block_rows: int = 65_536) -> None:
        self.name, self._block_rows = name, block_rows

    def encode(self, array: pa.Array) -> Packed:
        """By the codec of the type."""
        starts = range(0, len(array), self._block_rows)
        blocks = [_Block(array.slice(start, self._block_rows)) for start in starts]

        def decode() -> pa.Array | pa.ChunkedArray:
            arrays = [block.decode() for block in blocks]
            return arrays[0] if len(arrays) == 1 else pa.chunked_array(arrays)

        return Packed(sum(len(block.stored) for block in blocks), decode, lambda: _describe(array.to_numpy()))


class Kernel:
    """Compiled code alone: nothing is parsed or checked."""

    name = "drift-kernel"

    def encode(self, array: pa.Array) -> Packed:
        """The whole array at once."""
        encoded = _encode(array.to_numpy())
        return Packed(encoded.size_bytes, lambda: pa.array(_decode(encoded)), str)


class _Block:
    def __init__(self, rows: pa.Array) -> None:
        self._codec = NUMBER_CODECS[number_codec(number_dtype(rows.type))]
        self._kind, self._n_values = rows.type, len(rows)
        numbers = split_numbers(rows)
        self._raw_len = numbers.raw_len
        self.stored = memoryview(self._codec.encode_numbers(*numbers))

    def decode(self) -> pa.Array:
        raw = self._codec.decode(self.stored, self._raw_len, path="", offset=0)
        return join_numbers(raw, self._codec.codec_id, self._kind, self._n_values, path="", offset=0)


def _encode(values: NDArray[Any]) -> EncodedFloats | EncodedIntegers:
    return encode_floats(values) if values.dtype.kind == "f" else encode_integers(values)


def _decode(encoded: EncodedFloats | EncodedIntegers) -> NDArray[Any]:
    return decode_floats(encoded) if isinstance(encoded, EncodedFloats) else decode_integers(encoded)


def _describe(values: NDArray[Any]) -> str:
    """Schemes of the vectors, their widths and the share of exceptions."""
    encoded = _encode(values)
    if isinstance(encoded, EncodedFloats):
        counts, exceptions = dict(encoded.scheme_counts), encoded.positions.size
    else:
        found = Counter(encoded.schemes.tolist())
        counts = {_INTEGER_SCHEMES[scheme]: found[scheme] for scheme in sorted(found)}
        exceptions = encoded.exceptions.size
    schemes = " ".join(f"{name}:{count}" for name, count in counts.items())
    widths = encoded.widths
    return f"{schemes} width {np.min(widths)}..{np.max(widths)} exceptions {exceptions / len(values):.2%}"


def ours() -> list[Peer]:
    """Blocks of the rows of an extent, the largest blocks that the format allows, and the kernels."""
    return [Drift(), Drift("drift-16MiB", block_rows=1 << 21), Kernel()]
