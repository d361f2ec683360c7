"""Integers in vectors of 1024 that are packed into few bits, as bytes."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np

from drift_arrow.format.codecs.number_layout import NumberSizes, join_arrays, place, read_sizes
from drift_arrow.format.codecs.part import Source
from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.integer_table import IntegerTable, checked_table, numbers_for

_UNSIGNED: Final = MappingProxyType({width: np.dtype(f"u{width}") for width in (1, 2, 4, 8)})
_ITEM_BYTES: Final = MappingProxyType({width: (width, width, width, 2, 2, 1, 1, 1) for width in _UNSIGNED})


def dump_integers(encoded: EncodedIntegers, head: bytes = b"") -> bytes:
    """The arrays of `encoded` behind a header, and behind `head`, which spares its caller a copy."""
    sizes = NumberSizes(
        width=encoded.dtype.itemsize,
        n_values=encoded.length,
        counts=(encoded.exceptions.size, encoded.dictionary.size, 0),
        packed_bytes=encoded.packed.size,
    )
    arrays = (
        encoded.bases,
        encoded.exceptions,
        encoded.dictionary,
        encoded.exception_counts,
        encoded.exception_positions,
        encoded.schemes,
        encoded.widths,
        encoded.packed,
    )
    return join_arrays(head, sizes, arrays)


def load_integers(stored: memoryview, width: int, n_values: int, source: Source) -> IntegerTable:
    """Read what `dump_integers` wrote, in place, as unsigned integers of `width` bytes.

    Raises
    ------
    CorruptionError
        They are cut off, have another type or number, or contradict themselves. What is returned can be decoded.
    """
    raw, sizes = read_sizes(stored, width, n_values, source)
    n_exceptions, n_entries, zero = sizes.counts
    if zero:
        raise source.damage("has an impossible header of numbers")
    n_vectors = sizes.n_vectors
    counts = (n_vectors, n_exceptions, n_entries, n_vectors, n_exceptions, n_vectors, n_vectors, sizes.packed_bytes)
    numbers = numbers_for(n_vectors)
    raw = place(raw, _ITEM_BYTES[width], counts, numbers, source)
    try:
        # signed or not makes no difference to decoders
        return checked_table(n_values, _UNSIGNED[width], numbers, raw)
    except ValueError as problem:
        raise source.damage(f"contradicts itself; cause={problem}") from problem
