"""Arrays over memory that is known by its address, so that a kernel takes one table instead of many arrays.

An array costs a fifth of a microsecond as an argument from Python, which adds up where little is to be done.
"""

from __future__ import annotations

from math import prod
from typing import Any

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import INTERPRETED


def address_of(array: NDArray[Any]) -> int:
    """Where an array begins; `array.ctypes.data` takes three times as long."""
    address: int = array.__array_interface__["data"][0]
    return address


def _infer(_typing_context: Any, address: Any, shape: Any, like: Any) -> Any:
    is_tuple = isinstance(shape, types.BaseTuple)
    kinds = list(shape) if is_tuple else [shape]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.return_type)(context, builder)
        given = [arguments[1]]
        if is_tuple:
            given = cgutils.unpack_tuple(builder, arguments[1], len(kinds))  # type: ignore[no-untyped-call]
        sizes = [context.cast(builder, size, kind, types.intp) for size, kind in zip(given, kinds, strict=True)]
        item = context.get_constant(types.intp, like.bitwidth // 8)
        strides = [item]
        for size in reversed(sizes[1:]):
            strides.insert(0, builder.mul(strides[0], size))
        data = builder.inttoptr(arguments[0], array.data.type)
        arrayobj.populate_array(array, data, sizes, strides, item, None)  # type: ignore[no-untyped-call]
        return array._getvalue()  # noqa: SLF001

    return types.Array(like, len(kinds), "C")(address, shape, like), generate


def _plain_array_at(address: Any, shape: Any, like: Any) -> Any:
    size = prod(map(int, shape)) if isinstance(shape, tuple) else int(shape)
    return _plain.memory(address, like.dtype, size).reshape(shape)


array_at: Any = _plain_array_at if INTERPRETED else intrinsic(_infer)
"""Writable array of numbers like `like` at an int64 address; `shape` is an int64, or a tuple of them for a matrix.

The caller keeps the memory alive.
"""
