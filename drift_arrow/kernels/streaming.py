"""Stores that go past the caches, for results that leave them anyway.

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
