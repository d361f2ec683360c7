"""A process that builds or searches one index and takes its turn when it is told to.

It reads one JSON object per line from its standard input and answers each with one on its standard output.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final, cast

import numpy as np

from search_bench.contender import Contender, Filtering, Range, load
from search_bench.data_set import DataSet
from search_bench.resident import resident

# of prctl(2)
_PR_SET_PDEATHSIG: Final = 1

_WARM_QUERIES: Final = 3
_WARM_BATCH: Final = 20


class Worker:
    """Answers one message after the other."""

    def __init__(self, name: str, folder: str, index: str, variant: dict[str, Any], n_threads: int) -> None:
        self._data = DataSet.open(Path(folder))
        self._contender: Contender = load(name)(self._data, Path(index), variant, n_threads)
        self._queries = self._data.queries

    def build(self) -> dict[str, Any]:
        """Build the index; seconds and resident growth."""
        self._contender.warm()
        self._contender.prepare()
        gc.collect()
        before, started = resident(), time.perf_counter()
        self._contender.build()
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "resident": resident().all - before.all}

    def open(self) -> dict[str, Any]:
        """Open the index; settings of single queries and of batches, resident bytes before."""
        self._contender.warm()
        gc.collect()
        self._before = resident()
        started = time.perf_counter()
        self._contender.open()
        seconds = time.perf_counter() - started
        sweeps = {mode: self._contender.sweep(is_batch=mode == "batch") for mode in ("single", "batch")}
        return {"seconds": seconds, "sweeps": sweeps}

    def resident(self) -> dict[str, Any]:
        """Bytes that opening and searching have made resident, and those of them that are pages of files."""
        gc.collect()
        after = resident()
        return {"bytes": after.all - self._before.all, "of_files": after.of_files - self._before.of_files}

    def restrict(self, within: list[Any] | None) -> dict[str, Any]:
        """Search only rows with a number in a range from now on; None for all rows."""
        contender = cast("Filtering", self._contender)
        contender.restrict(None if within is None else Range(*within))
        return {}

    def ask(self, folder: str) -> dict[str, Any]:
        """Take the queries of another set from now on."""
        self._queries = DataSet.open(Path(folder)).queries
        return {}

    def find(self, setting: dict[str, Any], count: int, seconds: float, *, is_batch: bool) -> dict[str, Any]:
        """Rows found for the first `count` queries, or for as many as so many seconds allow; and their times."""
        self._contender.use(setting)
        if is_batch:
            started = time.perf_counter()
            self._contender.find(self._queries[:_WARM_BATCH], is_batch=True)
            elapsed = time.perf_counter() - started
            count = max(_WARM_BATCH, min(count, int(seconds * _WARM_BATCH / elapsed)))
            started = time.perf_counter()
            found = self._contender.find(self._queries[:count], is_batch=True)
            elapsed = time.perf_counter() - started
            return {"ids": found.tolist(), "seconds": elapsed / len(found)}
        ids: list[list[int]] = []
        times: list[float] = []
        while len(ids) < count and sum(times) < seconds:
            query = self._queries[len(ids) : len(ids) + 1]
            started = time.perf_counter()
            found = self._contender.find(query, is_batch=False)
            times.append(time.perf_counter() - started)
            ids += found.tolist()
        return {"ids": ids, "seconds": float(np.median(times))}

    def turn(self, setting: dict[str, Any], seconds: float, start: int) -> dict[str, Any]:
        """Single queries for about so long, from query `start` on; the time of each, and that of the processor."""
        self._contender.use(setting)
        queries, answer = self._queries, self._contender.one
        for number in range(start, start + _WARM_QUERIES):
            answer(queries[number % len(queries)])
        times: list[float] = []
        elapsed, number = 0.0, start
        gc.collect()
        gc.disable()
        cpu = time.process_time()
        while elapsed < seconds:
            query = queries[number % len(queries)]
            started = time.perf_counter()
            result = answer(query)
            times.append(time.perf_counter() - started)
            del result
            elapsed += times[-1]
            number += 1
        cpu = time.process_time() - cpu
        gc.enable()
        return {"times": times, "cpu": cpu}

    def batch(self, setting: dict[str, Any], count: int) -> dict[str, Any]:
        """All of `count` queries at once; seconds, and those of the processor."""
        self._contender.use(setting)
        queries = np.ascontiguousarray(np.resize(self._queries, (count, self._queries.shape[1])))
        self._contender.many(queries[:_WARM_BATCH])
        gc.collect()
        cpu, started = time.process_time(), time.perf_counter()
        result = self._contender.many(queries)
        elapsed, cpu = time.perf_counter() - started, time.process_time() - cpu
        del result
        return {"seconds": elapsed, "cpu": cpu}

    def close(self) -> dict[str, Any]:
        """Close the index."""
        self._contender.close()
        return {}


def serve(requests: IO[str], answers: IO[str], worker: object) -> None:
    """Answer until there are no more requests; an exception is an answer, too."""
    for line in requests:
        message = json.loads(line)
        operation: Callable[..., dict[str, Any]] = getattr(worker, message.pop("do"))
        try:
            answer = operation(**message)
        except Exception as error:  # noqa: BLE001 - whatever a library raises is told to the other process
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _die_with_parent() -> None:
    """End when the process that started this one does: nobody else would wake it up."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(make: Callable[..., object] = Worker) -> None:
    """Bind this process to its cores, then let what `make` gives answer."""
    _die_with_parent()
    arguments = json.loads(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, arguments.pop("cores"))
    # libraries print; what they print must not be taken for an answer
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(sys.stdin, answers, make(**arguments))


if __name__ == "__main__":
    main()
