"""Floats of a column, in vectors of 1024 that are compressed by ALP or ALP_RD."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.number_block import NumberBlock, NumberReader
from drift_arrow.format.layout import CodecId
from drift_arrow.kernels.encoded_floats import EncodedFloats, check_floats
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, GROUP_VECTORS
from drift_arrow.kernels.floats import decode_floats, encode_floats

_WIDTHS: Final = {2, 4, 8}


class FloatsCodec:
    """Stored bytes are the arrays of an `EncodedFloats` behind a header; raw bytes are as in `number_block`."""

    codec_id: ClassVar[CodecId] = CodecId.FLOATS

    def encode_numbers(self, values: NDArray[Any], validity: NDArray[np.uint8]) -> bytes:
        """Stored bytes of (n,) floats of any bits, and of their bitmap, which is empty without nulls."""
        encoded = encode_floats(values)
        block = NumberBlock(
            width=values.itemsize,
            has_nulls=validity.size > 0,
            n_values=values.size,
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
        return block.encode(validity, arrays)

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """Values and bitmap, at a multiple of 64 bytes; raises CorruptionError."""
        reader = NumberReader(stored, raw_len, _WIDTHS, path=path, offset=offset)
        block = reader.block
        n_positions, n_exceptions, n_lefts = block.counts
        n_groups = -(-block.n_vectors // GROUP_VECTORS)
        validity, arrays = reader.arrays(
            [
                (np.int64, block.n_vectors),
                (f"u{block.width}", n_exceptions),
                (np.uint32, block.n_vectors),
                (np.uint16, n_groups * DICTIONARY_SIZE),
                (np.uint16, n_positions),
                (np.uint16, n_lefts),
                (np.uint8, block.packed_bytes),
            ]
        )
        bases, exceptions, headers, dictionaries, positions, lefts, packed = arrays
        kind = np.dtype(f"f{block.width}")
        encoded = EncodedFloats(
            dtype=kind,
            n=block.n_values,
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
            raise reader.damage(f"contradicts itself; cause={problem}")
        raw, values = reader.output(validity)
        decode_floats(encoded, values.view(kind))
        return byte_view(raw)
