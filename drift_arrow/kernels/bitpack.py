"""Bit packing of whole vectors of 1024 unsigned integers, all of one width. `lanes` says how the bits lie."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numpy.typing import NDArray

from drift_arrow.kernels import _plain
from drift_arrow.kernels._check import readonly
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import ROW_BYTES, TAIL_BYTES, VALUES, advance, lane_vector, load, pack, routine, store
from drift_arrow.kernels.lanes import unpack as unpack_rows

_LANES: Final = tuple(np.dtype(name) for name in ("uint8", "uint16", "uint32", "uint64"))


def _plain_pack(source: Any, width: Any, target: Any, lane: Any) -> None:
    _plain.pack(_plain.memory(source, lane.dtype, VALUES), width, lane.itemsize * 8, target)


def _plain_unpack(source: Any, width: Any, target: Any, lane: Any) -> None:
    _plain.memory(target, lane.dtype, VALUES)[:] = _plain.unpack(source, width, lane.itemsize * 8)


@routine(_plain_pack)
def _pack(builder: ir.IRBuilder, kinds: Any, source: Any, width: Any, target: Any, lane: Any) -> None:  # noqa: ARG001
    bits = kinds[3].bitwidth
    row_type = lane_vector(bits)
    pack(builder, width, bits, lambda row: load(builder, advance(builder, source, row * ROW_BYTES), row_type), target)


@routine(_plain_unpack)
def _unpack(builder: ir.IRBuilder, kinds: Any, source: Any, width: Any, target: Any, lane: Any) -> None:  # noqa: ARG001
    def visit(row: int, values: Any) -> None:
        store(builder, values, advance(builder, target, row * ROW_BYTES))

    unpack_rows(builder, source, width, kinds[3].bitwidth, visit)


@kernel
def _pack_vectors(values: Any, width: Any, packed: Any, lane: Any) -> None:
    source, target = np.uint64(values.ctypes.data), np.uint64(packed.ctypes.data)
    for _ in range(values.size // VALUES):
        _pack(source, width, target, lane)
        source += np.uint64(VALUES * values.itemsize)
        target += np.uint64(ROW_BYTES) * width


@kernel
def _unpack_vectors(packed: Any, width: Any, values: Any, lane: Any) -> None:
    source, target = np.uint64(packed.ctypes.data), np.uint64(values.ctypes.data)
    for _ in range(values.size // VALUES):
        _unpack(source, width, target, lane)
        source += np.uint64(ROW_BYTES) * width
        target += np.uint64(VALUES * values.itemsize)


def packed_size(n_vectors: int, width: int) -> int:
    """Bytes of packed vectors, with the tail that must be readable behind the last one."""
    return n_vectors * width * ROW_BYTES + TAIL_BYTES


def pack_vectors(values: NDArray[Any], width: int) -> NDArray[np.uint8]:
    """Pack vectors into lanes as wide as their values.

    Parameters
    ----------
    values : (1024 * n,) uint8, uint16, uint32 or uint64
        Bits above `width` are dropped.
    width : int
        Bits to keep of each value, from 0 to all of them.

    Returns
    -------
    (128 * width * n + 128,) uint8
        The packed vectors one after the other, then zeros.

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a width that the lane does not hold
    """
    lane = _lane(getattr(values, "dtype", None), width)
    values = readonly("values", values, lane.dtype, None)
    if values.size % VALUES:
        raise ValueError(f"values must come in vectors of {VALUES}; got={values.size}")
    packed = np.zeros(packed_size(values.size // VALUES, width), np.uint8)
    if width:
        _pack_vectors(values, np.uint64(width), packed, lane)
    return packed


def unpack_vectors(packed: NDArray[np.uint8], width: int, n_vectors: int, dtype: Any) -> NDArray[Any]:
    """Reverse of `pack_vectors`.

    Parameters
    ----------
    packed : (128 * width * n_vectors + 128,) uint8
        The last 128 bytes may hold anything.
    width : int
        What the values were packed with.
    n_vectors : int
    dtype : uint8, uint16, uint32 or uint64
        Of the values, and so of the lanes.

    Returns
    -------
    (1024 * n_vectors,) of `dtype`

    Raises
    ------
    ValueError    wrong dtype, shape or layout, or a width that the lane does not hold
    """
    lane = _lane(np.dtype(dtype), width)
    if n_vectors < 0:
        raise ValueError(f"number of vectors must not be negative; got={n_vectors}")
    packed = readonly("packed", packed, np.uint8, packed_size(n_vectors, width))
    values = np.zeros(n_vectors * VALUES, lane.dtype)
    if width:
        _unpack_vectors(packed, np.uint64(width), values, lane)
    return values


def _lane(dtype: Any, width: int) -> Any:
    """Zero of the type of a lane, by which the compiled code of that lane is chosen."""
    if dtype not in _LANES:
        raise ValueError(f"values must be unsigned integers; got={dtype}")
    if not 0 <= width <= dtype.itemsize * 8:
        raise ValueError(f"width must be from 0 to the bits of a value; got={width} dtype={dtype}")
    return dtype.type(0)
