"""Floats in vectors of 1024, by ALP, ALP_RD or neither, as bytes."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

import numpy as np

from drift_arrow.format.codecs.number_layout import NumberSizes, join_arrays, place, read_sizes
from drift_arrow.format.codecs.part import Source
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, GROUP_VECTORS
from drift_arrow.kernels.stored_floats import StoredFloats

_FLOATS: Final = MappingProxyType({width: np.dtype(f"f{width}") for width in (2, 4, 8)})
_ITEM_BYTES: Final = MappingProxyType({width: (8, width, 4, 2, 2, 2, 1) for width in _FLOATS})


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


def load_floats(stored: memoryview, width: int, n_values: int, source: Source) -> StoredFloats:
    """Read what `dump_floats` wrote, in place.

    Raises
    ------
    CorruptionError
        They are cut off, have another type or number, or contradict themselves. What is returned can be decoded.
    """
    raw, sizes = read_sizes(stored, width, n_values, source)
    n_positions, n_exceptions, n_lefts = sizes.counts
    n_vectors = sizes.n_vectors
    n_dictionaries = -(-n_vectors // GROUP_VECTORS) * DICTIONARY_SIZE
    counts = (n_vectors, n_exceptions, n_vectors, n_dictionaries, n_positions, n_lefts, sizes.packed_bytes)
    places = np.empty(2 * len(counts), np.int64)
    raw = place(raw, _ITEM_BYTES[width], counts, places, source)
    try:
        return StoredFloats.load(_FLOATS[width], n_values, raw, places)
    except ValueError as problem:
        raise source.damage(f"contradicts itself; cause={problem}") from problem
