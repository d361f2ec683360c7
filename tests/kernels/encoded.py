"""Columns of integers put together by hand, so that every width of every scheme can be decoded."""

from __future__ import annotations

import numpy as np

from drift_arrow.kernels.encoded_integers import EncodedIntegers
from drift_arrow.kernels.lanes import TAIL_BYTES, lane_bits
from tests import oracle

UNSIGNED = ["uint8", "uint16", "uint32", "uint64"]
WIDTHS = [(dtype, width) for dtype in UNSIGNED for width in range(1, np.dtype(dtype).itemsize * 8 + 1)]


def random_codes(width, seed=0):
    codes = np.random.default_rng(seed).integers(0, 2**64, 1024, dtype=np.uint64) >> np.uint64(64 - width)
    codes[7] = 2**width - 1
    return codes.tolist()


def one_vector(dtype, scheme, codes=(), *, width=0, base=0, exceptions=(), dictionary=()):
    """One vector; exceptions are pairs of a position and a value."""
    dtype = np.dtype(dtype)
    unsigned = f"u{dtype.itemsize}"
    packed = oracle.packed_vector(codes, lane_bits(width), width) if width else b""
    return EncodedIntegers(
        length=1024,
        dtype=dtype,
        schemes=np.array([scheme], np.uint8),
        widths=np.array([width], np.uint8),
        bases=np.array([base], unsigned),
        exception_counts=np.array([len(exceptions)], np.uint16),
        exception_positions=np.array([position for position, _ in exceptions], np.uint16),
        exceptions=np.array([value for _, value in exceptions], unsigned),
        dictionary=np.array(dictionary, unsigned),
        packed=np.frombuffer(packed + bytes(TAIL_BYTES), np.uint8),
    )
