"""Integers of a column, in vectors of 1024 that are packed into few bits."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.format.buffer import byte_view
from drift_arrow.format.codecs.number_block import NumberBlock, NumberReader
from drift_arrow.format.layout import CodecId
from drift_arrow.kernels.encoded_integers import EncodedIntegers, check_integers
from drift_arrow.kernels.integers import decode_integers, encode_integers

_WIDTHS: Final = {1, 2, 4, 8}


class IntegersCodec:
    """Stored bytes are the arrays of an `EncodedIntegers` behind a header; raw bytes are as in `number_block`."""

    codec_id: ClassVar[CodecId] = CodecId.INTEGERS

    def encode_numbers(self, values: NDArray[Any], validity: NDArray[np.uint8]) -> bytes:
        """Stored bytes of (n,) signed or unsigned integers, and of their bitmap, which is empty without nulls."""
        encoded = encode_integers(values)
        block = NumberBlock(
            width=values.itemsize,
            has_nulls=validity.size > 0,
            n_values=values.size,
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
        return block.encode(validity, arrays)

    def decode(self, stored: memoryview, raw_len: int, *, path: str, offset: int) -> memoryview:
        """Values and bitmap, at a multiple of 64 bytes; raises CorruptionError."""
        reader = NumberReader(stored, raw_len, _WIDTHS, path=path, offset=offset)
        block = reader.block
        n_exceptions, n_entries, zero = block.counts
        if zero:
            raise reader.damage("has an impossible header")
        # signed or not makes no difference to decoders
        kind, n_vectors = np.dtype(f"u{block.width}"), block.n_vectors
        validity, arrays = reader.arrays(
            [
                (kind, n_vectors),
                (kind, n_exceptions),
                (kind, n_entries),
                (np.uint16, n_vectors),
                (np.uint16, n_exceptions),
                (np.uint8, n_vectors),
                (np.uint8, n_vectors),
                (np.uint8, block.packed_bytes),
            ]
        )
        bases, exceptions, dictionary, counts, positions, schemes, widths, packed = arrays
        encoded = EncodedIntegers(
            length=block.n_values,
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
        problem = check_integers(encoded)
        if problem is not None:
            raise reader.damage(f"contradicts itself; cause={problem}")
        raw, values = reader.output(validity)
        decode_integers(encoded, values.view(kind))
        return byte_view(raw)
