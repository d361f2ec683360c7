"""Where the encoders of floats write to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels.alp import INVERSES, POWERS
from drift_arrow.kernels.alp_encode import encode_alp
from drift_arrow.kernels.alp_rd_encode import LEFT_EXCEPTION_BITS, encode_alp_rd
from drift_arrow.kernels.alp_search import SAMPLE
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, GROUP_VECTORS
from drift_arrow.kernels.lanes import TAIL_BYTES, VALUES

_SLACK_BITS: Final = 4
"""Bits of a value, beyond twice what is expected, from which a vector gets exponents of its own."""


@dataclass(frozen=True, kw_only=True)
class FloatSink:
    """Arrays of `EncodedFloats` while they are filled, and the scratch of the encoders."""

    headers: NDArray[np.uint32]
    bases: NDArray[np.int64]
    dictionaries: NDArray[np.uint16]
    packed: NDArray[np.uint8]
    positions: NDArray[np.uint16]
    exceptions: NDArray[Any]
    lefts: NDArray[np.uint16]
    cursor: NDArray[np.int64]
    codes: NDArray[np.uint64]
    left_codes: NDArray[np.uint16]
    rights: NDArray[Any]
    extremes: NDArray[np.int64]
    lengths: NDArray[np.uint8]
    masks: NDArray[np.uint64]
    sample: NDArray[Any]

    @classmethod
    def for_values(cls, bits: NDArray[Any]) -> FloatSink:
        """Room for the worst case, of which the system gives only what is written to."""
        n_vectors = -(-bits.size // VALUES)
        room = n_vectors * VALUES
        return cls(
            headers=np.empty(n_vectors, np.uint32),
            bases=np.empty(n_vectors, np.int64),
            dictionaries=np.zeros((-(-n_vectors // GROUP_VECTORS), DICTIONARY_SIZE), np.uint16),
            packed=np.empty(room * bits.itemsize + TAIL_BYTES, np.uint8),
            positions=np.empty(room, np.uint16),
            exceptions=np.empty(room, bits.dtype),
            lefts=np.empty(room, np.uint16),
            cursor=np.zeros(3, np.int64),
            codes=np.empty(VALUES, np.uint64),
            left_codes=np.empty(VALUES, np.uint16),
            rights=np.empty(VALUES, bits.dtype),
            extremes=np.empty(32, np.int64),
            lengths=np.empty(VALUES, np.uint8),
            masks=np.empty(VALUES // 64, np.uint64),
            sample=np.empty(SAMPLE, bits.dtype),
        )

    def n_bits(self, since: NDArray[np.int64]) -> int:
        """Bits that were written since the cursor stood at `since`, headers left out."""
        packed, exceptions, lefts = (self.cursor - since).tolist()
        n_bits: int = packed * 8 + exceptions * (16 + self.exceptions.itemsize * 8) + lefts * LEFT_EXCEPTION_BITS
        return n_bits

    def put_alp(self, group: NDArray[Any], n: int, vectors: slice, candidates: NDArray[np.int64], bits: float) -> None:
        """Encode a row-group by ALP, which is expected to take `bits` for a value."""
        expected = int((2 * bits + _SLACK_BITS) * VALUES)
        encode_alp(
            group, n, candidates, expected, POWERS, INVERSES, self.codes, self.extremes,
            self.lengths, self.masks, self.sample, self.headers[vectors], self.bases[vectors], self.packed,
            self.positions, self.exceptions, self.cursor, group.dtype.type(0),
        )  # fmt: skip

    def put_alp_rd(self, group: NDArray[Any], n: int, vectors: slice, cut: int, dictionary: NDArray[np.uint16]) -> None:
        """Encode a row-group by ALP_RD."""
        self.dictionaries[vectors.start // GROUP_VECTORS] = dictionary
        encode_alp_rd(
            group, n, group.dtype.type(cut), dictionary, self.left_codes, self.rights, self.masks,
            self.headers[vectors], self.bases[vectors], self.packed, self.positions, self.lefts, self.cursor,
        )  # fmt: skip

    def finish(self, dtype: np.dtype[Any], n: int) -> EncodedFloats:
        """Give back the room that was not needed."""
        packed, exceptions, lefts = self.cursor.tolist()
        self.packed[packed : packed + TAIL_BYTES] = 0
        ends = (packed + TAIL_BYTES, exceptions + lefts, exceptions, lefts)
        for array, end in zip((self.packed, self.positions, self.exceptions, self.lefts), ends, strict=True):
            # in place: nothing is copied, and nothing else refers to the array
            array.resize(end, refcheck=False)
        return EncodedFloats(
            dtype=dtype,
            n=n,
            headers=self.headers,
            bases=self.bases,
            dictionaries=self.dictionaries,
            packed=self.packed,
            positions=self.positions,
            exceptions=self.exceptions,
            lefts=self.lefts,
        )
