"""One core and one thread for everything that is measured. Call it before NumPy, Arrow, Vortex or Polars is imported."""

from __future__ import annotations

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


def pin_to_one_core() -> str:
    """Bind this process to one core, and every thread pool that it will start to one thread.

    Returns
    -------
    str
        What was done, for the report.

    Notes
    -----
    The affinity binds pools that no variable reaches: Vortex drives its files with background workers, which then share
    the core with the caller. It also keeps a process from moving between cores while it is timed.
    """
    for name in _POOLS:
        os.environ[name] = "1"
    if not hasattr(os, "sched_setaffinity"):
        return "thread pools of one thread; this system binds no process to a core"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return f"bound to core {core}, thread pools of one thread"


def limit_arrow() -> None:
    """One thread for the pools of Arrow that read the number of cores before they read the environment."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
