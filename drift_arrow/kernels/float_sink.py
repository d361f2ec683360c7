"""Where the encoders of floats write to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels.alp import INVERSES, POWERS
from drift_arrow.kernels.alp_rd_search import search_cut
from drift_arrow.kernels.alp_search import SAMPLE, search_group
from drift_arrow.kernels.encoded_floats import EncodedFloats
from drift_arrow.kernels.float_encode import encode_group
from drift_arrow.kernels.float_header import DICTIONARY_SIZE, GROUP_VECTORS
from drift_arrow.kernels.lanes import TAIL_BYTES, VALUES

_CLEARLY_DECIMAL: Final = 0.25
"""ALP that is expected below this part of the raw bits is not compared with ALP_RD, which hardly ever gets there."""

_NO_CANDIDATES: Final = np.empty((0, 2), np.int64)

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
    whole_bytes: bool

    @classmethod
    def for_values(cls, bits: NDArray[Any], *, whole_bytes: bool) -> FloatSink:
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
            whole_bytes=whole_bytes,
        )

    def put(self, group: NDArray[Any], n: int, vectors: slice) -> None:
        """Encode a row-group.

        group : (1024 * v,) uint16, uint32 or uint64     of which n are values
        vectors : slice     numbers of the vectors
        """
        raw = group.itemsize * 8
        candidates, bits, bits_where_smaller = _NO_CANDIDATES, float(raw), np.inf
        if raw > 16:
            candidates, bits, bits_where_smaller = search_group(group)
        cut, dictionary, alp_rd_bits = raw - 1, np.zeros(DICTIONARY_SIZE, np.uint16), float(raw)
        if bits >= _CLEARLY_DECIMAL * raw:
            cut, dictionary, alp_rd_bits = search_cut(group)
            self.dictionaries[vectors.start // GROUP_VECTORS] = dictionary
        if bits_where_smaller >= alp_rd_bits:
            candidates, bits_where_smaller = _NO_CANDIDATES, 0.0
        own_from, alp_rd_from = int((2 * bits_where_smaller + _SLACK_BITS) * VALUES), int(alp_rd_bits * VALUES)
        encode_group(
            group, n, candidates, own_from, POWERS, INVERSES, dictionary, group.dtype.type(cut), alp_rd_from,
            self.codes, self.extremes, self.lengths, self.masks, self.sample, self.left_codes, self.rights,
            self.whole_bytes, self.headers[vectors], self.bases[vectors], self.packed, self.positions, self.exceptions,
            self.lefts, self.cursor, group.dtype.type(0),
        )  # fmt: skip

    def finish(self, dtype: np.dtype[Any], n: int) -> EncodedFloats:
        """Give back the room that was not needed."""
        packed, exceptions, lefts = self.cursor.tolist()
        self.packed[packed : packed + TAIL_BYTES] = 0
        ends = (packed + TAIL_BYTES, exceptions + lefts, exceptions, lefts)
        arrays: tuple[NDArray[Any], ...] = (self.packed, self.positions, self.exceptions, self.lefts)
        for array, end in zip(arrays, ends, strict=True):
            # in place: nothing is copied, and nothing else refers to the array
            array.resize(end, refcheck=False)
        for array in (*arrays, self.headers, self.bases, self.dictionaries):
            array.flags.writeable = False
        return EncodedFloats.of_views(
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
