"""Twins in NumPy of the routines of the float codecs, for NUMBA_DISABLE_JIT=1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels._plain import memory, pack, unpack

_MAGIC = 1.5 * 2**52
_SENTINEL = np.int64(-(2**63))


def _floats(address: Any, size: int, like: Any) -> NDArray[Any]:
    return memory(address, f"f{like.itemsize}", size)


def alp_unpack(source: Any, width: Any, base: Any, factor: Any, inverse: Any, target: Any, like: Any) -> None:
    """Twin of `alp.unpack_narrow` and `alp.unpack_wide`."""
    codes = unpack(source, width, 32 if width <= 32 else 64).astype(np.int64) + np.int64(base)
    _floats(target, 1024, like)[:] = codes.astype(np.float64) * factor * inverse


def alp_unpack_whole(source: Any, width: Any, base: Any, target: Any, like: Any) -> None:
    """Twin of `alp.unpack_whole`."""
    alp_unpack(source, width, base, 1.0, 1.0, target, like)


def alp_fill(number: Any, target: Any, like: Any) -> None:
    """Twin of `alp.fill_number`."""
    _floats(target, 1024, like)[:] = number


def _transform(values: NDArray[Any], scales: tuple[Any, ...], like: Any) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    scale, shrink, factor, inverse = scales
    rounded = values.astype(np.float64) * scale * shrink + _MAGIC
    codes = rounded.view(np.int64) - np.float64(_MAGIC).view(np.int64)
    back = ((rounded - _MAGIC) * factor * inverse).astype(values.dtype)
    is_changed = back.view(like.dtype) != values.view(like.dtype)
    return codes, is_changed | (codes < -(1 << 51)) | (codes >= 1 << 51)


def alp_cost(
    source: Any, scale: Any, shrink: Any, factor: Any, inverse: Any, exception_bits: Any, like: Any, size: int = 64
) -> np.int64:
    """Twin of `alp_search.sample_cost`."""
    codes, is_exception = _transform(_floats(source, size, like), (scale, shrink, factor, inverse), like)
    n_exceptions = int(is_exception.sum())
    kept = codes[~is_exception]
    width = (int(kept.max()) - int(kept.min())).bit_length() if kept.size else 0
    return np.int64(64 * width + n_exceptions * exception_bits)


def alp_least_cost(
    source: Any, scale: Any, shrink: Any, factor: Any, inverse: Any, exception_bits: Any, like: Any
) -> np.int64:
    """Twin of `alp_search._least_cost`."""
    return alp_cost(source, scale, shrink, factor, inverse, exception_bits, like, 16)


def alp_encode(
    source: Any, scale: Any, shrink: Any, factor: Any, inverse: Any, target: Any, extremes: Any, like: Any
) -> None:
    """Twin of `alp_encode.encode_block`."""
    codes, is_exception = _transform(_floats(source, 64, like), (scale, shrink, factor, inverse), like)
    memory(target, np.int64, 64)[:] = np.where(is_exception, _SENTINEL, codes)
    lanes = memory(extremes, np.int64, 32)
    kept = codes[~is_exception]
    if kept.size:
        np.minimum(lanes[:16], kept.min(), out=lanes[:16])
        np.maximum(lanes[16:], kept.max(), out=lanes[16:])


def alp_pack(source: Any, base: Any, width: Any, target: Any, like: Any) -> None:  # noqa: ARG001
    """Twin of `alp_encode.pack_narrow` and `alp_encode.pack_wide`."""
    codes = memory(source, np.int64, 1024) - np.int64(base)
    pack(codes.view(np.uint64), width, 32 if width <= 32 else 64, target)


def at_least(source: Any, base: Any, limit: Any, like: Any) -> np.uint64:
    """Twin of `float_exceptions.at_least`."""
    values = memory(source, like.dtype, 64) - like.dtype.type(base)
    return np.uint64(int(np.packbits(values >= limit, bitorder="little").view(np.uint64)[0]))


def pop_lowest(mask: Any) -> np.int64:
    """Twin of `float_exceptions.lowest_bit`."""
    return np.int64((int(mask) & -int(mask)).bit_length() - 1)


def rd_split(source: Any, right_bits: Any, dictionary: Any, codes: Any, rights: Any, like: Any) -> None:
    """Twin of `alp_rd_encode.split_block`."""
    values = memory(source, like.dtype, 64)
    shift = like.dtype.type(right_bits)
    memory(rights, like.dtype, 64)[:] = values & ((like.dtype.type(1) << shift) - like.dtype.type(1))
    is_equal = (values >> shift)[:, np.newaxis] == memory(dictionary, np.uint16, 8)
    memory(codes, np.uint16, 64)[:] = np.where(is_equal.any(axis=1), is_equal.argmax(axis=1), 8)


def rd_pack_rights(source: Any, shift: Any, width: Any, target: Any, like: Any) -> None:
    """Twin of `alp_rd_encode.pack_rights`."""
    values = memory(source, like.dtype, 1024) >> like.dtype.type(shift)
    pack(values, width, like.itemsize * 8, target)


def rd_pack_codes(source: Any, width: Any, target: Any) -> None:
    """Twin of `alp_rd_encode.pack_codes`."""
    pack(memory(source, np.uint16, 1024), width, 16, target)


def rd_join(
    source: Any, left_width: Any, width: Any, shift: Any, right_bits: Any, dictionary: Any, target: Any, like: Any
) -> None:
    """Twin of `alp_rd.join_parts`."""
    kind = like.dtype.type
    lefts = memory(dictionary, np.uint16, 8)[unpack(source, left_width, 16)].astype(kind)
    rights = unpack(int(source) + 128 * int(left_width), width, like.itemsize * 8)
    memory(target, kind, 1024)[:] = lefts << kind(right_bits) | rights << kind(shift)


def copy_rows(source: Any, target: Any, n_rows: Any) -> None:
    """Twin of `alp_rd.copy_rows`."""
    memory(target, np.uint8, 128 * int(n_rows))[:] = memory(source, np.uint8, 128 * int(n_rows))


def lengths_above(source: Any, base: Any, target: Any) -> None:
    """Twin of `alp_width._lengths_above`."""
    distances = (memory(source, np.int64, 1024) - np.int64(base)).view(np.uint64)
    memory(target, np.uint8, 1024)[:] = [distance.bit_length() for distance in distances.tolist()]


def lengths_around(source: Any, base: Any, target: Any) -> None:
    """Twin of `alp_width._lengths_around`."""
    distances = (memory(source, np.int64, 1024) - np.int64(base)).tolist()
    lengths = [(distance ^ (distance >> 63)).bit_length() + 1 if distance else 0 for distance in distances]
    memory(target, np.uint8, 1024)[:] = lengths


def count_longer(lengths: Any, width: Any) -> np.int64:
    """Twin of `alp_width._count_longer`."""
    return np.int64(np.count_nonzero(memory(lengths, np.uint8, 1024) > int(width)))


def _alp_rows(lanes: int) -> Any:
    def rows(
        source: Any, width: Any, base: Any, factor: Any, inverse: Any, first: Any, stop: Any, target: Any, like: Any
    ) -> None:
        vector = np.empty(1024, f"f{like.itemsize}")
        alp_unpack(source, width, base, factor, inverse, vector.ctypes.data, like)
        _floats(target, 1024, like)[first * lanes : stop * lanes] = vector[first * lanes : stop * lanes]

    return rows


alp_rows_narrow = _alp_rows(32)
"""Twin of `float_part._narrow_rows`."""

alp_rows_wide = _alp_rows(16)
"""Twin of `float_part._wide_rows`."""


def rd_left_rows(source: Any, width: Any, dictionary: Any, first: Any, stop: Any, target: Any) -> None:
    """Twin of `float_part._left_rows`."""
    part = slice(first * 64, stop * 64)
    memory(target, np.uint16, 1024)[part] = memory(dictionary, np.uint16, 8)[unpack(source, width, 16)][part]


def rd_glue_rows(
    source: Any, width: Any, shift: Any, right_bits: Any, lefts: Any, first: Any, stop: Any, target: Any, like: Any
) -> None:
    """Twin of `float_part._glue_rows`."""
    kind, lanes = like.dtype.type, 128 // like.itemsize
    left = memory(lefts, np.uint16, 1024).astype(kind) << kind(right_bits)
    vector = left | unpack(source, width, like.itemsize * 8) << kind(shift)
    memory(target, like.dtype, 1024)[first * lanes : stop * lanes] = vector[first * lanes : stop * lanes]
