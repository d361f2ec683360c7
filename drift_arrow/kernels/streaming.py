"""Memory beyond the caches: results that leave them are stored past them, and what is needed next is fetched ahead.

An ordinary store reads the line that it is about to overwrite. Into a result that does not fit into the caches that is
half of all traffic, and it drives everything else out. A result that fits is better left there for its next reader.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from drift_arrow.kernels import _plain
from drift_arrow.kernels._jit import kernel
from drift_arrow.kernels.lanes import VALUES, lane_vector, load, routine

STREAM_BYTES: Final = 1 << 24
"""Results from here on are streamed. With a first pass over them included it pays on a core with a 32 MiB cache from
17 MB on, by half at 70 MB; results of 8 MiB lose a third."""

LINE: Final = 64
"""Bytes of a store, and alignment of its address."""

SCRATCH_BYTES: Final = 2 * 8 * VALUES + LINE
"""Memory of a decoder: from its first line on a vector that is to be streamed, then as much for what is unpacked."""


def _plain_stream_vector(source: Any, target: Any, like: Any) -> None:
    _plain.memory(target, like.dtype, VALUES)[:] = _plain.memory(source, like.dtype, VALUES)


@routine(_plain_stream_vector)
def stream_vector(builder: ir.IRBuilder, kinds: Any, source: Any, target: Any, _like: Any) -> None:
    """Copy 1024 values of a type from `source` past the caches to `target`, a multiple of `LINE`."""
    n_lines = VALUES * kinds[2].bitwidth // 8 // LINE
    mark = builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)])
    with cgutils.for_range(builder, ir.Constant(source.type, n_lines)) as loop:
        offset = builder.mul(loop.index, ir.Constant(source.type, LINE))
        line = load(builder, builder.add(source, offset), lane_vector(64, LINE // 8))
        pointer = builder.inttoptr(builder.add(target, offset), line.type.as_pointer())
        builder.store(line, pointer, align=LINE).set_metadata("nontemporal", mark)


def _plain_fetch(address: Any, n_bytes: Any) -> None:
    pass


@routine(_plain_fetch)
def fetch(builder: ir.IRBuilder, kinds: Any, address: Any, n_bytes: Any) -> None:  # noqa: ARG001
    """Have memory ready soon, wherever it is: an address that is nobody's does no harm.

    The processor foresees what is read in a row, but not beyond a branch that it took wrong: vectors of deltas with
    jumps take almost twice the time without this.
    """
    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
    signature = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, signature, "llvm.prefetch.p0"
    )
    read, keep, data = (ir.Constant(number, option) for option in (0, 3, 1))
    n_lines = builder.udiv(n_bytes, ir.Constant(n_bytes.type, LINE))
    with cgutils.for_range(builder, n_lines) as loop:
        place = builder.add(address, builder.mul(loop.index, ir.Constant(address.type, LINE)))
        builder.call(function, [builder.inttoptr(place, byte), read, keep, data])


def _plain_settle() -> None:
    pass


@routine(_plain_settle)
def settle(builder: ir.IRBuilder, kinds: Any) -> None:  # noqa: ARG001
    """Finish all streamed stores: what this thread writes later is not seen before them by any other."""
    builder.fence("seq_cst")


@kernel(inner=True)
def can_stream(address: Any) -> Any:
    """Whether vectors that begin at an address may be streamed to it."""
    return address % LINE == 0


@kernel(inner=True)
def first_line(memory: Any) -> Any:
    """Address of the first whole line of an array."""
    return (np.int64(memory.ctypes.data) + np.int64(LINE - 1)) // LINE * LINE
