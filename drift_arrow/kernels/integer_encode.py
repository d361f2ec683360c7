"""Packing of vectors of integers whose schemes, widths and bases are settled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.delta import differences, encode_deltas
from drift_arrow.kernels.dictionary import Dictionary, encode_codes
from drift_arrow.kernels.encoded_integers import (
    DELTA,
    DICTIONARY,
    FRAME,
    LANES,
    N_LANES,
    RUNS,
    EncodedIntegers,
    vector_kind,
)
from drift_arrow.kernels.ffor import encode_frames
from drift_arrow.kernels.integer_costs import IntegerPlan
from drift_arrow.kernels.lanes import ROW_BYTES, TAIL_BYTES, VALUES, bit_length

Parts = list[tuple[int, NDArray[Any]]]
"""Runs of whole vectors of a column, each with the number of its first vector."""


@kernel
def _lay_out(schemes: Any, widths: Any, counts: Any, kinds: Any, packed_offsets: Any, exception_offsets: Any) -> None:
    packed_offsets[0], exception_offsets[0] = 0, 0
    for v in range(len(schemes)):
        kinds[v] = vector_kind(schemes[v], widths[v])
        packed_offsets[v + 1] = packed_offsets[v] + np.uint64(widths[v]) * np.uint64(ROW_BYTES)
        exception_offsets[v + 1] = exception_offsets[v] + np.int64(counts[v])


@kernel
def _collect(
    start: Any,
    schemes: Any,
    widths: Any,
    bases: Any,
    offsets: Any,
    positions: Any,
    exceptions: Any,
    scratch: Any,
    values: Any,
) -> None:
    for i in range(values.size // VALUES):
        v = start + i
        at, end = offsets[v], offsets[v + 1]
        vector = values[i * VALUES : (i + 1) * VALUES]
        scheme, base, width = schemes[v], bases[v], widths[v]
        if scheme != FRAME and at < end:
            positions[at], exceptions[at] = 0, vector[0]
            at += 1
        if at == end:
            continue
        if scheme != FRAME:
            differences(vector, base, scratch)
        for j in range(VALUES):
            if scheme == RUNS:
                is_exception = j > 0 and scratch[j] != 0
            else:
                distance = (vector[j] if scheme == FRAME else scratch[j]) - base
                is_exception = bit_length(scratch.dtype.type(distance)) > width
            if is_exception:
                positions[at], exceptions[at] = j, vector[j]
                at += 1


def pack_vectors(
    length: int, dtype: np.dtype[Any], parts: Parts, plan: IntegerPlan, dictionary: Dictionary | None
) -> EncodedIntegers:
    """Pack a column.

    length, dtype : of the column
    parts : list     its vectors, unsigned, the last one filled up
    plan : IntegerPlan     what each of them is encoded with
    dictionary : Dictionary or None     of the column; must be given where the plan asks for it
    """
    n, kind = len(plan.schemes), plan.bases.dtype
    kinds, packed_offsets, offsets = np.empty(n, np.uint8), np.empty(n + 1, np.uint64), np.empty(n + 1, np.int64)
    _lay_out(plan.schemes, plan.widths, plan.exception_counts, kinds, packed_offsets, offsets)
    positions, exceptions = np.empty(offsets[-1], np.uint16), np.empty(offsets[-1], kind)
    packed = np.empty(int(packed_offsets[-1]) + TAIL_BYTES, np.uint8)
    packed[-TAIL_BYTES:] = 0
    scratch = np.empty(VALUES, kind)
    if len(positions):
        for start, part in parts:
            _collect(start, plan.schemes, plan.widths, plan.bases, offsets, positions, exceptions, scratch, part)
    vectors = kinds, plan.widths, plan.bases, packed_offsets, packed
    for present in np.flatnonzero(np.bincount(kinds)).tolist():
        scheme, lane = present // N_LANES, LANES[present % N_LANES]
        if scheme == DICTIONARY and dictionary is not None:
            encode_codes(present, 0, *vectors, lane, dictionary.codes)
            continue
        for start, part in parts:
            if scheme == FRAME:
                encode_frames(present, start, *vectors, lane, part)
            elif scheme == DELTA:
                encode_deltas(present, start, *vectors, scratch, lane, part)
    return EncodedIntegers(
        length=length,
        dtype=dtype,
        schemes=plan.schemes,
        widths=plan.widths,
        bases=plan.bases,
        exception_counts=plan.exception_counts,
        exception_positions=positions,
        exceptions=exceptions,
        dictionary=np.empty(0, kind) if dictionary is None else dictionary.entries,
        packed=packed,
    )
