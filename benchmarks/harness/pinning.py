"""One core, one thread and recycled memory for everything that is measured."""

from __future__ import annotations

import contextlib
import ctypes
import os
from typing import Final

_POOLS: Final = (
    "ARROW_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "POLARS_MAX_THREADS",
    "RAYON_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
)


# parameters of mallopt(3)
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 1 << 30


def pools_of(n_threads: int) -> dict[str, str]:
    """Environment in which every thread pool that reads it starts so many threads."""
    return dict.fromkeys(_POOLS, str(n_threads))


def pin_to_one_core() -> str:
    """Bind this process to one core, and every thread pool that it will start to one thread.

    Call it before NumPy, Arrow, Vortex or Polars is imported.

    Returns
    -------
    str
        What was done, for the report.

    Notes
    -----
    The affinity binds pools that no variable reaches: Vortex drives its files with background workers, which then share
    the core with the caller. It also keeps a process from moving between cores while it is timed.
    """
    os.environ.update(pools_of(1))
    if not hasattr(os, "sched_setaffinity"):
        return "thread pools of one thread; this system binds no process to a core"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"bound to core {core}, thread pools of one thread"


def keep_freed_memory() -> None:
    """Let the allocator of the C library reuse what was freed instead of asking the system for new pages.

    Notes
    -----
    Otherwise it depends on the sizes of earlier buffers whether a new one of some megabytes faults in page by page,
    which takes longer than to fill it. Reuse is what a process does that reads batch after batch. Arrow and Vortex
    bring allocators of their own, which keep memory anyway. Only the C library of GNU knows this.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)


def limit_arrow() -> None:
    """One thread for the pools of Arrow that read the number of cores before they read the environment."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
