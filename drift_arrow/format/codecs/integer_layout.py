"""Integers in vectors of 1024 that are packed into few bits, as bytes."""

from __future__ import annotations

from typing import Final

import numpy as np

from drift_arrow.format.codecs.number_layout import ArrayReader, NumberSizes, join_arrays
from drift_arrow.format.codecs.part import Source
from drift_arrow.kernels.encoded_integers import EncodedIntegers

_U8: Final = np.dtype(np.uint8)
_U16: Final = np.dtype(np.uint16)


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


def load_integers(stored: memoryview, width: int, n_values: int, source: Source) -> EncodedIntegers:
    """Read what `dump_integers` wrote, in place, as unsigned integers of `width` bytes.

    Raises
    ------
    CorruptionError
        They are cut off, have another type or number, or contradict themselves. What is returned can be decoded.
    """
    reader = ArrayReader(stored, width, n_values, source)
    n_exceptions, n_entries, zero = reader.sizes.counts
    if zero:
        raise source.damage("has an impossible header of numbers")
    # signed or not makes no difference to decoders
    kind, n_vectors = np.dtype(f"u{width}"), reader.sizes.n_vectors
    bases, exceptions, dictionary, counts, positions, schemes, widths, packed = reader.arrays(
        [
            (kind, n_vectors),
            (kind, n_exceptions),
            (kind, n_entries),
            (_U16, n_vectors),
            (_U16, n_exceptions),
            (_U8, n_vectors),
            (_U8, n_vectors),
            (_U8, reader.sizes.packed_bytes),
        ]
    )
    try:
        return EncodedIntegers.of_views(
            length=n_values,
            dtype=kind,
            schemes=schemes,
            widths=widths,
            bases=bases,
            exception_counts=counts,
            exception_positions=positions,
            exceptions=exceptions,
            dictionary=dictionary,
            packed=packed,
        )
    except ValueError as problem:
        raise source.damage(f"contradicts itself; cause={problem}") from problem
