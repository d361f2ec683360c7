"""The bytes of one block of a column -> its rows: the closed table of column encodings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.errors import UnsupportedFormatError
from drift_arrow.format.codecs.compressed import open_compressed
from drift_arrow.format.codecs.dictionary import open_dictionary
from drift_arrow.format.codecs.extension import ExtensionBlock
from drift_arrow.format.codecs.nested import open_nested
from drift_arrow.format.codecs.numbers import open_numbers
from drift_arrow.format.codecs.part import ColumnBlock, Part, Source
from drift_arrow.format.codecs.planes import open_planes
from drift_arrow.format.codecs.stream import open_stream
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.codecs.strings import open_strings
from drift_arrow.format.layout import CodecId
from drift_arrow.format.plain import plain_type

_Opener = Callable[[Part, pa.DataType, Source], ColumnBlock]

_OPENERS: Final[Mapping[int, _Opener]] = MappingProxyType(
    {
        CodecId.PLAIN: open_stream,
        CodecId.ZSTD: open_stream,
        CodecId.INTEGERS: open_numbers,
        CodecId.FLOATS: open_numbers,
        CodecId.STRINGS: open_strings,
        CodecId.DICTIONARY: open_dictionary,
        CodecId.NESTED: open_nested,
        CodecId.COMPRESSED: open_compressed,
        CodecId.PLANES: open_planes,
    }
)


def open_column(
    stored: memoryview,
    codec: int,
    raw_len: int,
    kind: pa.DataType,
    n_values: int,
    *,
    dictionary: StringDictionary | None,
    path: str,
    offset: int,
) -> ColumnBlock:
    """Parse and check a block of a column.

    Parameters
    ----------
    stored : memoryview
        Its stored bytes, whose checksum was verified; the block keeps them alive and decodes from them.
    codec, raw_len, n_values : int
        What the header of the block declares.
    kind : pa.DataType
        Type of the column in the schema; the rows come back in its plain form.
    dictionary : StringDictionary, optional
        zstd dictionary of the column, which the reader of a segment makes once and keeps.
    path, offset : str, int
        Location of `stored`, for errors.

    Raises
    ------
    CorruptionError
        The bytes are nothing that an encoder of this type, size and number of rows produced.
    UnsupportedFormatError
        The codec is unknown here.
    """
    part, source = Part(codec, n_values, raw_len, stored), Source(path, offset, dictionary, _open)
    return _open(part, kind if pt.is_primitive(kind) else plain_type(kind), source)


def check_codec(codec: int, *, path: str) -> None:
    """Raise UnsupportedFormatError if there is no such codec of columns here."""
    if codec not in _OPENERS:
        message = f"block uses an unknown codec: upgrade drift_arrow; path={path!r} codec={codec}"
        raise UnsupportedFormatError(message)


def _open(part: Part, kind: pa.DataType, source: Source) -> ColumnBlock:
    check_codec(part.codec, path=source.path)
    if isinstance(kind, pa.BaseExtensionType):
        return ExtensionBlock(_open(part, kind.storage_type, source), kind)
    return _OPENERS[part.codec](part, kind, source)
