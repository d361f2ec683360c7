"""A process that follows a runbook with one contender and takes its turn when it is told to.

It reads one JSON object per line from its standard input and answers each with one on its standard output.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np

from search_bench.contender import K, padded
from search_bench.resident import folder_bytes, resident
from search_bench.truth import distances_to, recalls
from search_bench.worker import main
from streaming_bench.ablation import is_ours
from streaming_bench.contender import load
from streaming_bench.stream import Step, Stream
from streaming_bench.written import written_bytes

if TYPE_CHECKING:
    from streaming_bench.ours import Drift

_WARM_QUERIES: Final = 10
_TUNED_FOR: Final = 0.95
_TUNING_QUERIES: Final = 200


class Worker:
    """Answers one message after the other."""

    def __init__(self, name: str, folder: str, index: str, variant: dict[str, Any], n_threads: int) -> None:
        del n_threads
        # before the package of the contender starts threads: all of them share one core
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        self._stream, self._folder = Stream.open(Path(folder)), Path(index)
        self._contender = load(name)(self._stream, self._folder, variant)
        self._is_ours = is_ours(name)
        self._alive = np.zeros(len(self._stream.array("vectors")), dtype=np.bool_)
        self._queries = np.array(self._stream.array("tuning"))
        self._written = 0

    def load(self, settle: float) -> dict[str, Any]:
        """Do the first step and tune the search by queries that no later step asks."""
        self._contender.warm()
        gc.collect()
        self._base = resident().all
        step = self._stream.steps[0]
        numbers, vectors = self._stream.rows(step)
        self._alive[numbers] = True
        answer = self._timed(lambda: self._contender.load(numbers, vectors), settle)
        return {**answer, **self._counted(), "setting": self._tune(), **self._targets()}

    def _targets(self) -> dict[str, Any]:
        """Recall found for each that is asked for; only ours takes such."""
        if not self._is_ours:
            return {}
        from streaming_bench.fresh import recall_by_target

        kth = np.array(self._stream.array("tuning_kth"))
        return {"targets": recall_by_target(cast("Drift", self._contender).docs, self._stream, self._queries, kth)}

    def _tune(self) -> dict[str, Any]:
        queries = self._queries[:_TUNING_QUERIES]
        kth = np.array(self._stream.array("tuning_kth")[:_TUNING_QUERIES])
        chosen: dict[str, Any] = {}
        for setting in self._contender.settings():
            chosen = setting
            self._contender.use(setting)
            answers = [self._contender.ids(self._contender.one(query)) for query in queries]
            if self._recall(answers, queries, kth)[0] >= _TUNED_FOR:
                break
        return chosen

    def step(self, number: int, settle: float) -> dict[str, Any]:
        """Do a step; what it took and what there is to count after it."""
        step = self._stream.steps[number]
        operation: Callable[[Step, float], dict[str, Any]] = getattr(self, f"_{step.op}")
        answer = operation(step, settle)
        return {**answer, **self._counted()}

    def _insert(self, step: Step, settle: float) -> dict[str, Any]:
        numbers, vectors = self._stream.rows(step)
        self._alive[numbers] = True
        return self._timed(lambda: self._contender.insert(numbers, vectors), settle)

    def _delete(self, step: Step, settle: float) -> dict[str, Any]:
        numbers = self._stream.deleted(step)
        self._alive[numbers] = False
        return self._timed(lambda: self._contender.delete(numbers), settle)

    def _wait(self, step: Step, settle: float) -> dict[str, Any]:
        del settle
        if not self._is_ours:
            return {}
        with self._metered():
            cpu = time.process_time()
            time.sleep(step.size / 1e3)
            cpu = time.process_time() - cpu
        return {"seconds": step.size / 1e3, "cpu": cpu}

    def _search(self, step: Step, settle: float) -> dict[str, Any]:
        del settle
        self._queries = self._stream.queries(step)
        with self._metered():
            for query in self._queries[:_WARM_QUERIES]:
                self._contender.one(query)
            times, answers = self._ask_each()
        recall, n_wrong = self._recall(answers, self._queries, self._stream.kth(step))
        p50, p99 = np.percentile(times, [50, 99]) * 1e3
        return {"recall": recall, "wrong": n_wrong, "p50_ms": p50, "p99_ms": p99, "seconds": sum(times)}

    def _ask_each(self) -> tuple[list[float], list[Any]]:
        times, answers = [], []
        gc.collect()
        gc.disable()
        for query in self._queries:
            started = time.perf_counter()
            answer = self._contender.one(query)
            times.append(time.perf_counter() - started)
            answers.append(self._contender.ids(answer))
        gc.enable()
        return times, answers

    def _recall(self, answers: list[Any], queries: Any, kth: Any) -> tuple[float, int]:
        """Mean recall, and rows that were found dead or twice; those count as not found."""
        found = np.sort(np.stack([padded(ids) for ids in answers]), axis=1)
        is_there = (found >= 0) & self._alive[found]
        is_there[:, 1:] &= found[:, 1:] != found[:, :-1]
        n_wrong = int(((found >= 0) & ~is_there).sum())
        distances = distances_to(self._stream.array("vectors"), queries, np.where(is_there, found, -1))
        limits = np.repeat(kth[:, np.newaxis], K, axis=1)
        return float(recalls(distances, limits, K).mean()), n_wrong

    def _timed(self, call: Callable[[], None], settle: float) -> dict[str, Any]:
        """Do it, then let what it set off in the background end.

        Returns
        -------
        dict
            `called`: seconds of the call; `cpu`: of the processor, with what followed; `seconds`: of the call, and of
            the processor afterwards, since a pause that the background makes of its own accord is no work.
        """
        with self._metered():
            cpu, started = time.process_time(), time.perf_counter()
            call()
            called, at_end = time.perf_counter() - started, time.process_time()
            self._contender.settle(settle)
            after = time.process_time()
        return {"seconds": called + after - at_end, "called": called, "cpu": after - cpu}

    @contextmanager
    def _metered(self) -> Iterator[None]:
        """Count the bytes written meanwhile; what is written between two turns are answers to the other process."""
        before = written_bytes()
        yield
        self._written += written_bytes() - before

    def _counted(self) -> dict[str, Any]:
        gc.collect()
        return {
            **self._contender.figures(self._queries, self._written),
            "written": self._written,
            "resident": resident().all - self._base,
            "disk": folder_bytes(self._folder),
        }

    def finish(self) -> dict[str, Any]:
        """Compare with a collection that is built now from the same rows; only ours can."""
        if not self._is_ours:
            return {}
        from streaming_bench.fresh import against_fresh

        return against_fresh(cast("Drift", self._contender), self._stream)

    def close(self) -> dict[str, Any]:
        """Close the index."""
        self._contender.close()
        return {}


if __name__ == "__main__":
    main(Worker)
