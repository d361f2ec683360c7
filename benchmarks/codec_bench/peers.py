"""The codecs that take part, ours excepted. Each encodes an Arrow array, and decodes into fresh Arrow buffers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata
from typing import Any, NamedTuple, Protocol

import numpy as np
import pcodec
import pyarrow as pa
import pyarrow.parquet as pq
import vortex as vx
import zstandard
from vortex.serde import decode_ipc_array_buffers, encode_ipc_array_buffers

ZSTD_LEVEL = 3


class Packed(NamedTuple):
    """An encoded column.

    size : int          bytes
    decode : callable   returns a new `pa.Array` or `pa.ChunkedArray`
    detail : callable   returns what the codec chose, in a few words
    """

    size: int
    decode: Callable[[], Any]
    detail: Callable[[], str]


class Peer(Protocol):
    """A codec; what only decodes in another way than one of the others is not timed when it encodes."""

    name: str
    is_encoder: bool

    def encode(self, array: pa.Array) -> Packed:
        """Encode an array of numbers without nulls."""
        ...


class Copy:
    """NumPy's copy into a fresh buffer: as fast as memory can be written."""

    name = "copy"
    is_encoder = False

    def encode(self, array: pa.Array) -> Packed:
        """The array."""
        values = array.to_numpy()
        return Packed(values.nbytes, lambda: pa.array(values.copy()), str)


class Vortex:
    """Vortex in memory: its size is that of its buffers, without the metadata and the file around them."""

    name = "vortex"
    is_encoder = True

    def encode(self, array: pa.Array) -> Packed:
        """By its own choice of encodings."""
        # a new array each time: an old one would remember its statistics
        packed = vx.compress(vx.array(array))
        return Packed(packed.nbytes, packed.to_arrow_array, lambda: _tree(packed.display_tree()))


class VortexBytes:
    """Vortex from serialized bytes, which its arrays stay in: as much as a reader of a file has to do."""

    name = "vortex-bytes"
    is_encoder = False

    def encode(self, array: pa.Array) -> Packed:
        """As a message of its own, whose size has the metadata."""
        parts = encode_ipc_array_buffers(vx.compress(vx.array(array)))
        arrays, types = ([b"".join(part)] for part in parts)

        def decode() -> pa.Array:
            return decode_ipc_array_buffers(arrays, types).to_arrow_array()

        return Packed(len(arrays[0]), decode, str)


class Parquet:
    """A Parquet file in memory."""

    is_encoder = True

    def __init__(self, name: str, **options: Any) -> None:
        self.name, self._options = name, options

    def encode(self, array: pa.Array) -> Packed:
        """With dictionaries, or without as the options say."""
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table([array], ["v"]), sink, **self._options)
        stored = sink.getvalue()

        def decode() -> pa.ChunkedArray:
            return pq.ParquetFile(pa.BufferReader(stored)).read(use_threads=False).column(0)

        return Packed(stored.size, decode, str)


class Pcodec:
    """pcodec at its default level."""

    name = "pcodec"
    is_encoder = True

    def encode(self, array: pa.Array) -> Packed:
        """By its own choice of modes."""
        config = pcodec.ChunkConfig(enable_8_bit=True)
        stored = pcodec.standalone.simple_compress(array.to_numpy(), config)
        return Packed(len(stored), lambda: pa.array(pcodec.standalone.simple_decompress(stored)), str)


class Zstd:
    """One zstd frame of the values."""

    name = "zstd"
    is_encoder = True

    def encode(self, array: pa.Array) -> Packed:
        """At level 3."""
        values, kind = array.to_numpy(), array.type
        stored = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(values)
        decompress = zstandard.ZstdDecompressor().decompress

        def decode() -> pa.Array:
            return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(decompress(stored))])

        return Packed(len(stored), decode, str)


def peers() -> list[Peer]:
    """All of them."""
    split = {"use_dictionary": False, "column_encoding": {"v": "BYTE_STREAM_SPLIT"}}
    return [
        Copy(),
        Vortex(),
        VortexBytes(),
        Parquet("parquet"),
        Parquet("parquet-bss-zstd", **split, compression="zstd", compression_level=ZSTD_LEVEL),
        Pcodec(),
        Zstd(),
    ]


def can_encode(peer: Peer, dtype: np.dtype[Any]) -> bool:
    """Whether a codec takes numbers of this type at all."""
    # BYTE_STREAM_SPLIT is for types of at least four bytes
    return peer.name != "parquet-bss-zstd" or dtype.itemsize >= 4


def _tree(lines: str) -> str:
    """Names of the encodings of a tree, outermost first: ``alp(dict(bitpacked for(bitpacked)))``."""
    names: list[tuple[int, str]] = []
    for line in lines.splitlines():
        label, _, rest = line.partition(": ")
        name = rest.partition("(")[0]
        if "(" not in rest or label.strip() in {"metadata", "buffer"}:
            continue
        names.append((len(line) - len(line.lstrip()), name.rpartition("vortex.")[2].removeprefix("fastlanes.")))
    return _nest(names, 0)[0] if names else ""


def _nest(names: list[tuple[int, str]], at: int) -> tuple[str, int]:
    depth, name = names[at]
    at += 1
    children = []
    while at < len(names) and names[at][0] > depth:
        child, at = _nest(names, at)
        if not child.startswith("primitive"):
            children.append(child)
    return name + (f"({' '.join(children)})" if children else ""), at


def versions() -> str:
    """Versions of the libraries behind the codecs."""
    names = ("numpy", "pyarrow", "vortex-data", "pcodec", "zstandard", "numba", "llvmlite")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)
