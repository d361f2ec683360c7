"""Floats in vectors of 1024, by ALP, ALP_RD or neither, as bytes."""

from __future__ import annotations

from typing import Final

import numpy as np

from drift_arrow.format.codecs.number_layout import ArrayReader, NumberSizes, join_arrays
from drift_arrow.format.codecs.part import Source
from drift_arrow.kernels.encoded_floats import EncodedFloats, check_floats
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, GROUP_VECTORS

_U8: Final = np.dtype(np.uint8)
_U16: Final = np.dtype(np.uint16)
_U32: Final = np.dtype(np.uint32)
_I64: Final = np.dtype(np.int64)


def dump_floats(encoded: EncodedFloats, head: bytes = b"") -> bytes:
    """The arrays of `encoded` behind a header, and behind `head`, which spares its caller a copy."""
    sizes = NumberSizes(
        width=encoded.dtype.itemsize,
        n_values=encoded.n,
        counts=(encoded.positions.size, encoded.exceptions.size, encoded.lefts.size),
        packed_bytes=encoded.packed.size,
    )
    arrays = (
        encoded.bases,
        encoded.exceptions,
        encoded.headers,
        encoded.dictionaries,
        encoded.positions,
        encoded.lefts,
        encoded.packed,
    )
    return join_arrays(head, sizes, arrays)


def load_floats(stored: memoryview, width: int, n_values: int, source: Source) -> EncodedFloats:
    """Read what `dump_floats` wrote, in place.

    Raises
    ------
    CorruptionError
        They are cut off, have another type or number, or contradict themselves. What is returned can be decoded.
    """
    reader = ArrayReader(stored, width, n_values, source)
    n_positions, n_exceptions, n_lefts = reader.sizes.counts
    n_vectors = reader.sizes.n_vectors
    n_groups = -(-n_vectors // GROUP_VECTORS)
    bases, exceptions, headers, dictionaries, positions, lefts, packed = reader.arrays(
        [
            (_I64, n_vectors),
            (np.dtype(f"u{width}"), n_exceptions),
            (_U32, n_vectors),
            (_U16, n_groups * DICTIONARY_SIZE),
            (_U16, n_positions),
            (_U16, n_lefts),
            (_U8, reader.sizes.packed_bytes),
        ]
    )
    encoded = EncodedFloats.of_views(
        dtype=np.dtype(f"f{width}"),
        n=n_values,
        headers=headers,
        bases=bases,
        dictionaries=dictionaries.reshape(n_groups, DICTIONARY_SIZE),
        packed=packed,
        positions=positions,
        exceptions=exceptions,
        lefts=lefts,
    )
    problem = check_floats(encoded)
    if problem is not None:
        raise source.damage(f"contradicts itself; cause={problem}")
    return encoded
