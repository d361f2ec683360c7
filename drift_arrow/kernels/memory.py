"""Arrays over memory that is known by its address, so that a kernel takes one table instead of many arrays.

An array costs a fifth of a microsecond as an argument from Python, which adds up where little is to be done.
"""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import INTERPRETED


def address_of(array: NDArray[Any]) -> int:
    """Where an array begins; `array.ctypes.data` takes three times as long."""
    address: int = array.__array_interface__["data"][0]
    return address


def _infer(_typing_context: Any, address: Any, size: Any, like: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.return_type)(context, builder)
        stride = context.get_constant(types.intp, like.bitwidth // 8)
        data = builder.inttoptr(arguments[0], array.data.type)
        arrayobj.populate_array(array, data, [arguments[1]], [stride], stride, None)  # type: ignore[no-untyped-call]
        return array._getvalue()  # noqa: SLF001

    return types.Array(like, 1, "C")(address, size, like), generate


def _plain_array_at(address: Any, size: Any, like: Any) -> Any:
    return _plain.memory(address, like.dtype, size)


array_at: Any = _plain_array_at if INTERPRETED else intrinsic(_infer)
"""Writable array of `size` (int64) integers like `like` at an int64 address. The caller keeps the memory alive."""
