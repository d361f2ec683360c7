"""Floats in vectors of 1024, by ALP, ALP_RD or neither, as bytes."""

from __future__ import annotations

import numpy as np

from drift_arrow.format.codecs.number_layout import ArrayReader, NumberSizes, join_arrays
from drift_arrow.format.codecs.part import Source
from drift_arrow.kernels.encoded_floats import EncodedFloats, check_floats
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, GROUP_VECTORS


def dump_floats(encoded: EncodedFloats) -> bytes:
    """The arrays of `encoded` behind a header."""
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
    return join_arrays(sizes, arrays)


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
            (np.int64, n_vectors),
            (f"u{width}", n_exceptions),
            (np.uint32, n_vectors),
            (np.uint16, n_groups * DICTIONARY_SIZE),
            (np.uint16, n_positions),
            (np.uint16, n_lefts),
            (np.uint8, reader.sizes.packed_bytes),
        ]
    )
    encoded = EncodedFloats(
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
