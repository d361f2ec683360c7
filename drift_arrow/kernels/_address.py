"""Bytes at raw addresses, so that one compiled call can scan blocks of several memory maps."""

from __future__ import annotations

import ctypes
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from drift_arrow.kernels._jit import INTERPRETED


def byte_at(address: int, offset: int) -> int:
    """Unsigned byte at `address + offset` (uint64, int64), in memory that the caller of the kernel keeps alive."""
    return ctypes.c_uint8.from_address(int(address) + int(offset)).value


if not INTERPRETED:

    @intrinsic  # type: ignore[no-redef]
    def byte_at(_typing_context: Any, _address: Any, _offset: Any) -> Any:
        def load(_context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
            address, offset = arguments
            # a pointer and a step instead of a sum of integers: the form in which loops over it vectorise
            base = builder.inttoptr(address, ir.IntType(8).as_pointer())
            return builder.load(builder.gep(base, [offset]), align=1)

        return types.uint8(types.uint64, types.int64), load
