"""Columns of numbers: integers, floats, and what Arrow holds as one of them, such as dates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_arrow.format.codecs.float_layout import dump_floats, load_floats
from drift_arrow.format.codecs.head import Head, read_head
from drift_arrow.format.codecs.integer_layout import dump_integers, load_integers
from drift_arrow.format.codecs.part import Encoded, Part, Source
from drift_arrow.format.codecs.validity import Validity
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import CodecId
from drift_arrow.format.numbers import filled_numbers, number_dtype
from drift_arrow.format.single_floats import SingleFloats
from drift_arrow.kernels import floats, integers
from drift_arrow.kernels._aligned import aligned
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.float_points import gather_float_points
from drift_arrow.kernels.integer_costs import FAST, DecodeWeights
from drift_arrow.kernels.integer_points import gather_integer_points
from drift_arrow.kernels.integer_table import IntegerTable
from drift_arrow.kernels.lanes import VALUES
from drift_arrow.kernels.row_table import RowTable, floats_line, integers_line

_FEW_VALUES: Final = 64
"""Values that are rather decoded one by one than with all of their vectors."""

_INTEGER_SCHEMES: Final = ("frame", "delta", "runs", "dictionary")


def number_codec(dtype: np.dtype[Any]) -> CodecId:
    """The codec of numbers of a type in memory."""
    return CodecId.FLOATS if dtype.kind == "f" else CodecId.INTEGERS


def encode_numbers(array: pa.Array, *, whole_bytes: bool = False, weights: DecodeWeights = FAST) -> Encoded:
    """Encode an array for whose type there is a `number_dtype`; with `whole_bytes`, so that a compressor gains.

    The weights are those of the schemes of integers.
    """
    values, validity = filled_numbers(array), Validity.of(array)
    head = validity.encode()
    if values.dtype.kind == "f":
        stored = dump_floats(floats.encode_floats(values, whole_bytes=whole_bytes), head)
    else:
        stored = dump_integers(integers.encode_integers(values, whole_bytes=whole_bytes, weights=weights), head)
    return Encoded(number_codec(values.dtype), stored, values.nbytes + validity.raw_len)


def open_numbers(part: Part, kind: pa.DataType, source: Source) -> NumbersBlock:
    """Parse what `encode_numbers` wrote; raises CorruptionError."""
    dtype = number_dtype(kind)
    if dtype is None or part.codec != number_codec(dtype):
        raise source.damage(f"holds values of another type than its column; codec={part.codec} type={kind}")
    head, cursor = read_head(part, kind, source)
    head.check_size(part.n_values * dtype.itemsize)
    stored, size = cursor.rest(), (dtype.itemsize, part.n_values)
    if dtype.kind == "f":
        return FloatsBlock(load_floats(stored, *size, source), head)
    return IntegersBlock(load_integers(stored, *size, source), head)


class NumbersBlock(ABC):
    """Numbers that decode vector by vector.

    Parameters
    ----------
    dtype : unsigned or float
        Of the numbers.
    head : Head
    """

    def __init__(self, dtype: np.dtype[Any], head: Head) -> None:
        self.n_values = head.part.n_values
        self._dtype, self._head = dtype, head

    def read(self) -> pa.Array:
        """All rows."""
        return self._array(self.values(), self._head.validity.read())

    def take(self, places: NDArray[np.int64]) -> pa.Array:
        """Rows in any order; decodes each vector of 1024 once."""
        return self._array(self.some_values(places), self._head.validity.take(places))

    def read_into(self, out: NDArray[Any], *, streams: bool = False) -> bool:
        """Write all rows to (n,) `out` of any type of this size; False, and nothing is written, if some are null.

        With `streams`, past the caches where there is code for it: if `out` is a part of so much that it leaves them.
        """
        if self._head.validity.read() is not None:
            return False
        self._decode(out.view(self._dtype), streams=streams)
        return True

    def values(self) -> NDArray[Any]:
        """All numbers, also of nulls; (n,) unsigned or float."""
        return self._decode()

    def some_values(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """Numbers of some rows, also of nulls; (m,) unsigned or float."""
        if len(places) <= _FEW_VALUES:
            few = aligned(len(places), self._dtype)
            table = RowTable.of(np.array([0, self.n_values]), [self.line()], [self])
            self._decode_points(table, np.ascontiguousarray(places), few)
            return few
        needed, rows = np.unique(places // VALUES, return_inverse=True)
        if len(needed) * 2 > self.n_values // VALUES:
            found: NDArray[Any] = self.values()[places]
            return found
        vectors = np.empty((len(needed), VALUES), self._dtype)
        for number, out in zip(needed.tolist(), vectors, strict=True):
            self._decode_vector(number, out)
        return vectors[rows, places % VALUES]

    @abstractmethod
    def line(self) -> NDArray[np.int64]:
        """Line of a `RowTable`, valid while this block lives."""

    @abstractmethod
    def describe(self) -> Encoding:
        """Widths, exceptions and schemes."""

    @abstractmethod
    def _decode_points(self, table: RowTable, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        """Decode single values, of a table of this block."""

    @abstractmethod
    def _decode(self, out: NDArray[Any] | None = None, *, streams: bool = False) -> NDArray[Any]:
        """Decode everything, to a new array if there is no `out`."""

    @abstractmethod
    def _decode_vector(self, number: int, out: NDArray[Any]) -> None:
        """Decode one vector into (1024,), of which the last may leave a part as it is."""

    def _array(self, values: NDArray[Any], validity: pa.Buffer | None) -> pa.Array:
        return pa.Array.from_buffers(self._head.kind, len(values), [validity, pa.py_buffer(values)])

    def _encoding(self, name: str, widths: NDArray[np.uint8], n_exceptions: int, schemes: dict[str, int]) -> Encoding:
        return Encoding(
            name=name,
            n_values=self.n_values,
            stored_bytes=len(self._head.part.stored),
            min_width=int(widths.min()) if widths.size else None,
            max_width=int(widths.max()) if widths.size else None,
            n_exceptions=n_exceptions,
            detail=" ".join(f"{scheme}={n}" for scheme, n in schemes.items()),
        )


class IntegersBlock(NumbersBlock):
    """Integers, in a table."""

    def __init__(self, table: IntegerTable, head: Head) -> None:
        super().__init__(table.dtype, head)
        self._table = table

    def describe(self) -> Encoding:
        """Widths, exceptions and schemes."""
        counts = np.bincount(self._table.schemes, minlength=len(_INTEGER_SCHEMES)).tolist()
        schemes = {scheme: n for scheme, n in zip(_INTEGER_SCHEMES, counts, strict=True) if n}
        return self._encoding("INTEGERS", self._table.widths, self._table.n_exceptions, schemes)

    def line(self) -> NDArray[np.int64]:
        """Of encoded integers."""
        return integers_line(self._table, self._head.validity.address)

    def _decode_points(self, table: RowTable, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        gather_integer_points(table, places, out)

    def _decode(self, out: NDArray[Any] | None = None, *, streams: bool = False) -> NDArray[Any]:
        return integers.decode_table(self._table, out, streams=streams)

    def _decode_vector(self, number: int, out: NDArray[Any]) -> None:
        integers.decode_vector(self._table, number, out[: self.n_values - number * VALUES])


class FloatsBlock(NumbersBlock):
    """Floats; `encoded` is checked."""

    def __init__(self, encoded: EncodedFloats, head: Head) -> None:
        super().__init__(encoded.dtype, head)
        self.encoded = encoded

    def describe(self) -> Encoding:
        """Widths, exceptions and schemes."""
        encoded = self.encoded
        return self._encoding("FLOATS", encoded.widths, encoded.positions.size, encoded.scheme_counts)

    def line(self, single: SingleFloats | None = None) -> NDArray[np.int64]:
        """Of encoded floats, or of these in their place."""
        validity = self._head.validity.address
        if single is None:
            return floats_line(self.encoded, validity)
        return floats_line(single.encoded, validity, single.packed_at)

    def _decode_points(self, table: RowTable, places: NDArray[np.int64], out: NDArray[Any]) -> None:
        gather_float_points(table, places, out.reshape(-1, 1))

    def _decode(self, out: NDArray[Any] | None = None, *, streams: bool = False) -> NDArray[Any]:
        return floats.decode_floats(self.encoded, out, streams=streams)

    def _decode_vector(self, number: int, out: NDArray[Any]) -> None:
        floats.decode_vector(self.encoded, number, out)
