"""Columns of codes, and of the values that they stand for, each of which is stored once."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from drift_arrow.format.codecs.head import Head, raw_size, read_head
from drift_arrow.format.codecs.part import ColumnBlock, Encode, Encoded, Part, Source, frame
from drift_arrow.format.codecs.sizes import fixed_bytes, is_leaf, offset_type, plain_bytes
from drift_arrow.format.codecs.strings import string_bytes
from drift_arrow.format.codecs.validity import Validity, with_validity
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId
from drift_arrow.format.numbers import filled_numbers, numbers_of
from drift_arrow.kernels.strings import gather_strings

_CODE: Final = pa.uint32()


def encode_dictionary(array: pa.DictionaryArray, encode: Encode) -> Encoded:
    """Encode an array that is a dictionary in Arrow too; all its values are kept, in their order."""
    # a row may be null by its own bit or by its value, and stays so
    indices = array.indices
    codes = filled_numbers(indices).astype(np.uint32)
    return _encode(Validity.of(indices), codes, array.dictionary, None, encode)


def encode_by_dictionary(array: pa.Array, codes: NDArray[np.uint32], values: pa.Array, encode: Encode) -> Encoded:
    """Encode an array whose row i is value `codes[i]`; of nulls, codes are any. Every value has a row."""
    validity = Validity.of(array)
    return _encode(validity, codes, values, raw_size(len(codes), plain_bytes(values, codes), validity), encode)


def open_dictionary(part: Part, kind: pa.DataType, source: Source) -> ColumnBlock:
    """Parse what either of them wrote; raises CorruptionError."""
    head, cursor = read_head(part, kind, source)
    parts = cursor.part(), cursor.part()
    cursor.finish()
    codes = source.open(parts[0], _CODE, part.n_values)
    if pt.is_dictionary(kind):
        head.check_size(sum(child.raw_len for child in parts))
        return DictionaryBlock(head, codes, source.open(parts[1], kind.value_type, parts[1].n_values))
    if not is_leaf(kind) or parts[1].codec == CodecId.DICTIONARY:
        raise source.damage(f"holds a dictionary where there cannot be one; type={kind}")
    row_bytes = fixed_bytes(kind)
    if row_bytes is not None:
        head.check_size(part.n_values * row_bytes)
    return LookupBlock(head, codes, source.open(parts[1], kind, parts[1].n_values))


class DictionaryBlock:
    """Rows of an Arrow dictionary."""

    def __init__(self, head: Head, codes: ColumnBlock, values: ColumnBlock) -> None:
        self.n_values = head.part.n_values
        self._head, self._codes, self._values = head, codes, values

    def read(self) -> pa.Array:
        """All rows."""
        return self._array(self._codes.read(), self._head.validity.read())

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order; the dictionary is whole."""
        return self._array(self._codes.take(places), self._head.validity.take(places))

    def describe(self) -> Encoding:
        """Codes, then values."""
        return Encoding(
            name="DICTIONARY",
            children=(self._codes.describe(), self._values.describe()),
            n_values=self.n_values,
            stored_bytes=len(self._head.part.stored),
            detail=f"values={self._values.n_values}",
        )

    def _array(self, codes: pa.Array, validity: pa.Buffer | None) -> pa.Array:
        if not self._values.n_values:
            # then all rows are null, whatever their codes
            return pa.nulls(len(codes), self._head.kind)
        indices = numbers_of(self._checked(codes)).astype(self._head.kind.index_type.to_pandas_dtype(), copy=False)
        buffers = [validity, pa.py_buffer(indices)]
        return pa.DictionaryArray.from_buffers(self._head.kind, len(codes), buffers, self._values.read())

    def _checked(self, codes: pa.Array) -> pa.Array:
        """Codes that have a value; raises CorruptionError."""
        numbers = numbers_of(codes)
        if numbers.size and int(numbers.max()) >= self._values.n_values:
            raise self._head.source.damage(f"holds a code without a value; values={self._values.n_values}")
        return codes


class LookupBlock(DictionaryBlock):
    """Rows of any other type, made of codes and values."""

    def read(self) -> pa.Array:
        """All rows."""
        codes, values = self._checked(self._codes.read()), self._values.read()
        self._check_size(codes, values)
        return with_validity(self._look_up(codes, values), self._head.validity.read())

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order; decodes the values that they need."""
        codes = numbers_of(self._checked(self._codes.take(places)))
        return with_validity(self._values.take(codes.astype(np.int64)), self._head.validity.take(places))

    def _look_up(self, codes: pa.Array, values: pa.Array) -> pa.Array:
        if fixed_bytes(values.type) is not None or not len(codes):
            return pc.take(values, codes, boundscheck=False)
        data, offsets = string_bytes(values)
        places, content = gather_strings(np.frombuffer(data, np.uint8), offsets, numbers_of(codes))
        places = places.astype(offset_type(values.type), copy=False)
        return pa.Array.from_buffers(values.type, len(codes), [None, pa.py_buffer(places), pa.py_buffer(content)])

    def _check_size(self, codes: pa.Array, values: pa.Array) -> None:
        """Raise CorruptionError if the rows are larger than declared: a few codes may stand for many bytes."""
        if fixed_bytes(self._head.kind) is not None:
            return
        self._head.check_size(plain_bytes(values, numbers_of(codes)))


def _encode(
    validity: Validity, codes: NDArray[np.uint32], values: pa.Array, raw_len: int | None, encode: Encode
) -> Encoded:
    code_part, value_part = encode(pa.array(codes)), encode(values)
    stored = validity.encode() + frame(code_part, len(codes)) + frame(value_part, len(values))
    if raw_len is None:
        raw_len = validity.raw_len + code_part.raw_len + value_part.raw_len
    return Encoded(CodecId.DICTIONARY, stored, raw_len)
