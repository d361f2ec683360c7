"""The scan of codes alone, out of cache, beside a plain read of the same bytes and the scans of others."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numba
import numpy as np
from numpy.typing import NDArray

from drift_arrow.kernels.adc import adc_scan
from drift_arrow.kernels.bucket_arrays import BucketArrays
from drift_arrow.kernels.topk import Heaps
from harness.duel import duel
from harness.report import Bar, aligned

DIMS: Final = (128, 768, 1536)
_BUCKET_ROWS: Final = 1_024
_CANDIDATES: Final = 40
_ENOUGH: Final = 0.8


@numba.njit(cache=True)
def _read(words: NDArray[np.uint64]) -> Any:
    """Sum of all words: as fast as one thread can read."""
    total = np.uint64(0)
    for i in range(words.size):
        total += words[i]
    return total


def measure(dim: int, n_bytes: int, seconds: float, *, is_cpu: bool) -> dict[str, float]:
    """GB/s of codes of each scan of about `n_bytes`, by medians; nan of a library that is not there."""
    rng = np.random.default_rng(dim)
    n_buckets = max(1, n_bytes // dim // _BUCKET_ROWS)
    codes = _aligned(n_buckets * _BUCKET_ROWS * dim)
    codes[:] = np.frombuffer(rng.bytes(codes.size), np.uint8)
    query = rng.random(dim, dtype=np.float32) * 255
    table = codes.reshape(-1, dim)
    calls: dict[str, Callable[[], object]] = {
        "drift": _ours(codes, n_buckets, query),
        "plain read": lambda: _read(codes.view(np.uint64)),
    }
    missing = {}
    for name, make in {"faiss sq8": _faiss, "numkong": _numkong, "simsimd": _simsimd}.items():
        try:
            calls[name] = make(table, query)
        except ImportError:
            missing[name] = float("nan")
    clock = time.process_time if is_cpu else time.perf_counter
    found = duel(calls, seconds=seconds, clock=clock)
    return {**{name: codes.size / elapsed / 1e9 for name, elapsed in found.items()}, **missing}


def _aligned(n_bytes: int) -> NDArray[np.uint8]:
    spare = np.zeros(n_bytes + 64, np.uint8)
    start = -spare.ctypes.data % 64
    return spare[start : start + n_bytes]


def _ours(codes: NDArray[np.uint8], n_buckets: int, query: NDArray[np.float32]) -> Callable[[], object]:
    """One call that scans all buckets; the best candidates are kept, as in a search."""
    dim = len(query)
    starts = np.arange(n_buckets, dtype=np.int64) * _BUCKET_ROWS
    buckets = BucketArrays(
        code_address=np.uint64(codes.ctypes.data) + (starts * dim).astype(np.uint64),
        rows=np.full(n_buckets, _BUCKET_ROWS, np.uint32),
        first_row=starts,
        lo=np.zeros((n_buckets, dim), np.float32),
        step=np.ones((n_buckets, dim), np.float32),
        norms=np.square(codes.reshape(-1, dim), dtype=np.float32).sum(axis=1),
    )
    probes, queries = np.arange(n_buckets)[np.newaxis], query[np.newaxis]

    def scan() -> object:
        heaps = Heaps.empty(1, _CANDIDATES)
        adc_scan(queries, probes, buckets, None, "l2", heaps)
        # the buckets hold addresses into the codes
        return heaps, codes

    return scan


def _faiss(table: NDArray[np.uint8], query: NDArray[np.float32]) -> Callable[[], object]:
    import faiss

    faiss.omp_set_num_threads(1)
    kind: Any = faiss.ScalarQuantizer.QT_8bit
    index = faiss.IndexScalarQuantizer(table.shape[1], kind, faiss.METRIC_L2)
    index.train(np.stack([np.zeros(len(query), np.float32), np.full(len(query), 255, np.float32)]))
    faiss.copy_array_to_vector(table.reshape(-1), index.codes)
    index.ntotal = len(table)
    return lambda: index.search(query[np.newaxis], _CANDIDATES)


def _numkong(table: NDArray[np.uint8], query: NDArray[np.float32]) -> Callable[[], object]:
    """Distances alone, of a query in bytes: there is no kernel for a finer one, and nothing is kept."""
    import numkong

    bytes_of_query, out = query.astype(np.uint8)[np.newaxis], np.empty((1, len(table)), np.float64)
    return lambda: numkong.cdist(bytes_of_query, table, "sqeuclidean", out=out)


def _simsimd(table: NDArray[np.uint8], query: NDArray[np.float32]) -> Callable[[], object]:
    """Distances alone, of a query in bytes."""
    import simsimd

    bytes_of_query = query.astype(np.uint8)[np.newaxis]
    return lambda: simsimd.cdist(bytes_of_query, table, "sqeuclidean")


def show(found: dict[int, dict[str, float]]) -> None:
    """One line per dimension."""
    names = list(next(iter(found.values())))
    lines = [
        (f"d = {dim}", *(f"{speeds[name]:.2f}" for name in names), f"{speeds['drift'] / speeds['plain read']:.1%}")
        for dim, speeds in found.items()
    ]
    print(f"\n== the scan alone, one thread, out of cache, GB/s of codes\n{aligned(('', *names, 'of a read'), lines)}")


def bars(found: dict[int, dict[str, float]]) -> Sequence[Bar]:
    """Share of the speed of a plain read."""
    return [
        Bar(
            name=f"d = {dim}: scan / plain read out of cache",
            value=speeds["drift"] / speeds["plain read"],
            limit=_ENOUGH,
            note=f"{speeds['drift']:.2f} of {speeds['plain read']:.2f} GB/s",
        )
        for dim, speeds in found.items()
    ]
