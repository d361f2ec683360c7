"""Rows of a column -> the bytes of a block, by whatever encoding pays."""

from __future__ import annotations

from functools import partial
from typing import Final

import pyarrow as pa
import pyarrow.types as pt

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.codecs.dictionary import encode_by_dictionary, encode_dictionary
from drift_arrow.format.codecs.nested import encode_nested, shape_of
from drift_arrow.format.codecs.part import Encoded
from drift_arrow.format.codecs.sizes import is_leaf, is_string
from drift_arrow.format.codecs.stream import encode_stream
from drift_arrow.format.codecs.string_dictionary import StringDictionary
from drift_arrow.format.codecs.strings import encode_strings
from drift_arrow.format.distinct import find_distinct
from drift_arrow.format.layout import HEADER_BYTES, MAX_PART_DEPTH, PAGE_BYTES
from drift_arrow.format.numbers import number_dtype
from drift_arrow.format.plain import plain_type
from drift_arrow.format.profile import PROFILES
from drift_arrow.format.shared_strings import SharedStrings

_LEAF_DEPTH: Final = 4
"""Most parts below one another in an encoded column that holds no other columns."""


class ColumnEncoder:
    """Encodes the blocks of one column, first to last.

    Parameters
    ----------
    kind : pa.DataType
        Type of the column in the schema.
    profile : str
        ``hot`` for what decodes fast, ``cold`` for what takes the fewest bytes.

    Notes
    -----
    Deterministic for the same blocks in the same order.
    """

    def __init__(self, kind: pa.DataType, profile: str) -> None:
        self._kind, self._profile = kind if pt.is_primitive(kind) else plain_type(kind), PROFILES[profile]
        self._shared = SharedStrings()

    @property
    def dictionary(self) -> bytes | None:
        """Zstd dictionary that the blocks encoded so far refer to, to be stored once beside them."""
        return None if self._shared.dictionary is None else self._shared.dictionary.data

    def encode(self, plain: pa.Array) -> Encoded:
        """Encode some rows in plain form.

        Returns
        -------
        Encoded
            `raw_len` is little more than the bytes of the Arrow buffers; the stored bytes are no longer than that.

        Raises
        ------
        InvalidArgumentError
            The rows are not in the plain form of the column.
        """
        if plain.type != self._kind:
            message = f"rows are of another type than their column; got={plain.type} want={self._kind}"
            raise InvalidArgumentError(message)
        array = plain.storage if isinstance(plain.type, pa.BaseExtensionType) else plain
        # what fits into the page of its header anyway takes no less room for being packed
        if len(array) <= 8 * PAGE_BYTES and array.nbytes <= PAGE_BYTES:
            stream = encode_stream(array)
            if len(stream.stored) <= PAGE_BYTES - HEADER_BYTES:
                return stream
        encoded = self.encode_part(array)
        return encoded if len(encoded.stored) <= encoded.raw_len else encode_stream(array)

    def encode_part(self, array: pa.Array, depth: int = 0) -> Encoded:
        """Encode rows inside `depth` other parts."""
        kind = array.type
        if isinstance(kind, pa.BaseExtensionType):
            return self.encode_part(array.storage, depth)
        if depth + _LEAF_DEPTH > MAX_PART_DEPTH:
            return encode_stream(array)
        if is_leaf(kind):
            return self._leaf(array, depth)
        inside = partial(self.encode_part, depth=depth + 1)
        if pt.is_dictionary(kind):
            return encode_dictionary(array, inside)
        shape = shape_of(kind)
        return encode_stream(array) if shape is None else encode_nested(array, shape, inside)

    def _leaf(self, array: pa.Array, depth: int) -> Encoded:
        values = self._one_by_one(array, depth)
        most_bytes = self._profile.most_bytes(values, array.type)
        distinct = find_distinct(array, most_bytes)
        if distinct is not None:
            coded = encode_by_dictionary(array, distinct.codes, distinct.values, self._one_by_one)
            if len(coded.stored) <= most_bytes:
                return coded
        if depth or not is_string(array.type):
            return values
        settings, most_bytes = self._profile.frames(array)[0], self._profile.most_shared(values)
        return self._shared.train(array, settings, self._profile.numbers, values, most_bytes)

    def _one_by_one(self, array: pa.Array, depth: int = 1) -> Encoded:
        """Encode numbers or strings without regard to repeated ones."""
        if number_dtype(array.type) is not None:
            return self._profile.numbers(array)
        if is_string(array.type):
            return self._strings(array, None if depth else self._shared.dictionary)
        shape = shape_of(array.type)
        assert shape is not None
        return encode_nested(array, shape, self._profile.numbers)

    def _strings(self, array: pa.Array, dictionary: StringDictionary | None) -> Encoded:
        candidates = [
            encode_strings(array, settings._replace(dictionary=dictionary), self._profile.numbers)
            for settings in self._profile.frames(array)
        ]
        return min(candidates, key=lambda encoded: len(encoded.stored))
