"""Rows of a column -> the bytes of a block, by whatever encoding takes the least room."""

from __future__ import annotations

import pyarrow as pa

from drift_arrow.format.codecs.numbers import encode_numbers
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.codecs.stream import encode_stream
from drift_arrow.format.layout import HEADER_BYTES, PAGE_BYTES
from drift_arrow.format.numbers import number_dtype


class ColumnEncoder:
    """Encodes the blocks of one column, first to last.

    Parameters
    ----------
    kind : pa.DataType
        Type of the column in the schema.
    profile : str
        ``hot`` for what decodes fast, ``cold`` for what takes the fewest bytes.

    Attributes
    ----------
    dictionary : bytes or None
        zstd dictionary that the blocks need which were encoded so far; to be stored once beside them.
    """

    def __init__(self, kind: pa.DataType, profile: str) -> None:
        self._kind, self._profile = kind, profile
        self.dictionary: bytes | None = None

    def encode(self, plain: pa.Array) -> Encoded:
        """Encode some rows in plain form; `raw_len` may exceed what a block can hold if their Arrow buffers do."""
        stream = encode_stream(plain)
        # what fits into the page of its header anyway takes no less room for being packed
        if stream.raw_len <= PAGE_BYTES - HEADER_BYTES or number_dtype(plain.type) is None:
            return stream
        numbers = encode_numbers(plain)
        return numbers if len(numbers.stored) * 20 <= len(stream.stored) * 21 else stream
