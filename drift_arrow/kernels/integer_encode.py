"""Packing of vectors of integers whose schemes, widths and bases are settled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.delta import differences
from drift_arrow.kernels.distinct import Dictionary
from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.ffor import encode_frames
from drift_arrow.kernels.float_exceptions import mark_exceptions, take_exceptions
from drift_arrow.kernels.integer_costs import IntegerPlan
from drift_arrow.kernels.integer_schemes import DELTA, DICTIONARY, FRAME, LANES, N_LANES, kinds_in, vector_kind
from drift_arrow.kernels.lanes import ROW_BYTES, TAIL_BYTES, VALUES

_DIFFERENCES: Final = 64 * VALUES

Parts = list[tuple[int, NDArray[Any]]]
"""Runs of whole vectors of a column, each with the number of its first vector."""


@kernel
def _lay_out(schemes: Any, widths: Any, counts: Any, kinds: Any, packed_offsets: Any, exception_offsets: Any) -> Any:
    """Kind and place of each vector; packed bytes, exceptions, and a bit for each kind that has packed bytes."""
    n, packed_kinds = len(schemes), np.int64(0)
    packed_offsets[0], exception_offsets[0] = 0, 0
    for v in range(n):
        kind, width = vector_kind(schemes[v], widths[v]), np.uint64(widths[v])
        kinds[v] = kind
        packed_kinds |= np.int64(width > 0) << np.int64(kind)
        packed_offsets[v + 1] = packed_offsets[v] + width * np.uint64(ROW_BYTES)
        exception_offsets[v + 1] = exception_offsets[v] + np.int64(counts[v])
    return np.int64(packed_offsets[n]), exception_offsets[n], packed_kinds


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
    masks: Any,
    values: Any,
) -> None:
    kind = values.dtype.type
    for i in range(values.size // VALUES):
        v = start + i
        at, end = offsets[v], offsets[v + 1]
        vector = values[i * VALUES : (i + 1) * VALUES]
        scheme, base, width = schemes[v], bases[v], np.int64(widths[v])
        if scheme != FRAME and at < end:
            positions[at], exceptions[at] = 0, vector[0]
            at += 1
        if at == end:
            continue
        limit = np.int64(1) << width
        if scheme == FRAME:
            mark_exceptions(vector, np.int64(base), limit, masks, kind(0))
        else:
            differences(vector, base, scratch)
            # runs begin where the value changes
            mark_exceptions(scratch, np.int64(base) if scheme == DELTA else np.int64(0), limit, masks, kind(0))
            masks[0] &= ~np.uint64(1)
        take_exceptions(masks, values, i * VALUES, kind(0), positions, at, exceptions, at)


@kernel
def _write_differences(start: Any, schemes: Any, bases: Any, values: Any, found: Any) -> None:
    """Write the differences of the values of the vectors that are encoded as such, and leave the others alone."""
    for i in range(values.size // VALUES):
        if schemes[start + i] == DELTA:
            differences(values[i * VALUES : (i + 1) * VALUES], bases[start + i], found[i * VALUES : (i + 1) * VALUES])


def _sources(
    scheme: int, parts: Parts, plan: IntegerPlan, dictionary: Dictionary | None
) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
    """What the vectors of a scheme are packed from as frames: number of the first vector, values and bases."""
    if scheme == FRAME:
        for start, values in parts:
            yield start, values, plan.bases
    elif scheme == DELTA:
        # some vectors at a time, which stay in the cache of the core until they are packed
        room = np.empty(_DIFFERENCES, plan.bases.dtype)
        for first, values in parts:
            for at in range(0, len(values), _DIFFERENCES):
                start, some = first + at // VALUES, values[at : at + _DIFFERENCES]
                found = room[: len(some)]
                _write_differences(start, plan.schemes, plan.bases, some, found)
                yield start, readonly("differences", found, found.dtype, None), plan.bases
    elif scheme == DICTIONARY and dictionary is not None:
        codes = readonly("codes", dictionary.codes, np.uint16, None)
        yield 0, codes, plan.bases.astype(np.uint16)


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
    n_packed, n_exceptions, packed_kinds = _lay_out(
        plan.schemes, plan.widths, plan.exception_counts, kinds, packed_offsets, offsets
    )
    positions, exceptions = np.empty(n_exceptions, np.uint16), np.empty(n_exceptions, kind)
    packed = np.empty(n_packed + TAIL_BYTES, np.uint8)
    packed[n_packed:] = 0
    if n_exceptions:
        scratch, masks = np.empty(VALUES, kind), np.empty(VALUES // 64, np.uint64)
        for start, part in parts:
            _collect(start, *plan[:3], offsets, positions, exceptions, scratch, masks, part)
    for present in kinds_in(int(packed_kinds)):
        lane = LANES[present % N_LANES]
        for start, values, bases in _sources(present // N_LANES, parts, plan, dictionary):
            encode_frames(present, start, kinds, plan.widths, bases, packed_offsets, packed, lane, values)
    return EncodedIntegers.of_arrays(
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


def repeat_value(length: int, dtype: np.dtype[Any], value: Any) -> EncodedIntegers:
    """What `pack_vectors` makes of a column of one unsigned value: frames without any width."""
    n, none = -(-length // VALUES), np.empty(0, value.dtype)
    # numpy.full takes five times as long
    schemes, bases = np.empty(n, np.uint8), np.empty(n, value.dtype)
    schemes[:], bases[:] = FRAME, value
    return EncodedIntegers.of_arrays(
        length=length,
        dtype=dtype,
        schemes=schemes,
        widths=np.zeros(n, np.uint8),
        bases=bases,
        exception_counts=np.zeros(n, np.uint16),
        exception_positions=np.empty(0, np.uint16),
        exceptions=none,
        dictionary=none,
        packed=np.zeros(TAIL_BYTES, np.uint8),
    )
