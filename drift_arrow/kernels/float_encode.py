"""Encoder of row-groups of floats: for each vector the scheme that takes the fewest bits."""

from __future__ import annotations

from typing import Any

import numpy as np

from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.alp_encode import fit_alp, put_alp
from drift_arrow.kernels.alp_rd_encode import fit_alp_rd, put_alp_rd
from drift_arrow.kernels.float_plain import put_constant, put_raw
from drift_arrow.kernels.lanes import VALUES


@kernel
def encode_group(
    source: Any, n_values: Any, candidates: Any, expected: Any, powers: Any, inverses: Any, dictionary: Any, cut: Any,
    expected_rd: Any, codes: Any, extremes: Any, lengths: Any, masks: Any, sample: Any, left_codes: Any, rights: Any,
    whole_bytes: Any, headers: Any, bases: Any, packed: Any, positions: Any, exceptions: Any, lefts: Any,
    cursor: Any, like: Any,
) -> None:  # fmt: skip
    """Encode the vectors of a row-group.

    source : (1024 * v,) uint16, uint32 or uint64     bits of floats; those past n_values may be anything
    candidates : (c, 2) int64     of ALP; none where it is not to be tried
    expected : int64     bits of a vector of ALP; see `fit_alp`
    dictionary : (8,) uint16, cut : like source     of ALP_RD
    expected_rd : int64     bits of a vector of ALP above which ALP_RD is tried too
    codes ... rights : scratch; see `FloatSink`
    whole_bytes : bool     see `whole_bytes`
    headers, bases : (v,) uint32, int64, overwritten
    packed, positions, exceptions, lefts : written from the cursor on
    cursor : (3,) int64     ends of the packed bytes and of the exceptions of ALP and ALP_RD, updated
    """
    for vector in range(len(headers)):
        start = vector * VALUES
        if put_constant(source, start, headers, bases, vector):
            continue
        raw = np.int64(source.itemsize * 8 * VALUES)
        fit = (np.int64(0), np.int64(0), np.int64(0), np.int64(0), raw)
        if len(candidates) > 0:
            fit = fit_alp(
                source, start, n_values, candidates, expected, powers, inverses, codes, extremes, lengths, sample,
                whole_bytes, like,
            )  # fmt: skip
        is_alp = fit[4] < raw
        if not is_alp or fit[4] > expected_rd:
            parts = fit_alp_rd(source, start, n_values, cut, dictionary, left_codes, rights)
            if parts[3] < min(raw, fit[4]):
                put_alp_rd(
                    source, start, parts, cut, left_codes, rights, masks, headers, bases, vector, packed, positions,
                    lefts, cursor,
                )  # fmt: skip
                continue
        if is_alp:
            put_alp(
                source, start, fit, codes, masks, headers, bases, vector, packed, positions, exceptions, cursor, like
            )
        else:
            put_raw(source, start, headers, bases, vector, packed, cursor)
