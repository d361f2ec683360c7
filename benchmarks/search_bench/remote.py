"""The other end of a worker: starts it, tells it when its turn is, and keeps it stopped meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol, Self

from harness.pinning import pools_of
from search_bench.contender import Setting

_BENCHMARKS = Path(__file__).resolve().parents[1]
_LANCE_POOLS = ("LANCE_CPU_THREADS", "LANCE_IO_THREADS")


def environment_of(n_threads: int) -> dict[str, str]:
    """Environment of a process that finds these modules and starts pools of so many threads."""
    paths = [str(_BENCHMARKS), str(_BENCHMARKS.parent), os.environ.get("PYTHONPATH", "")]
    lance = dict.fromkeys(_LANCE_POOLS, str(n_threads))
    path = os.pathsep.join(filter(None, paths))
    return {**os.environ, **pools_of(n_threads), **lance, "PYTHONPATH": path}


class Prepared(Protocol):
    """What a worker opens by its folder."""

    @property
    def folder(self) -> Path:
        """Of its files."""


class WorkerError(RuntimeError):
    """A contender could not do what it was told."""


class Remote:
    """A worker in a process of its own.

    Parameters
    ----------
    name : str
        Of the contender.
    data : Prepared
        A set, or whatever else the worker opens.
    index : Path
        Folder of its index.
    variant : dict
    n_threads : int
        So many cores it is bound to, and so many threads each of its pools has.
    python : str
        Interpreter that has the package of the contender.
    worker : str
        Module that the process runs.

    Notes
    -----
    Between its turns the process is stopped by a signal: no thread of one contender, however idle it should be, can
    take time from another whose turn it is.
    """

    def __init__(
        self,
        name: str,
        data: Prepared,
        index: Path,
        variant: Setting,
        *,
        n_threads: int,
        python: str = sys.executable,
        worker: str = "search_bench.worker",
    ) -> None:
        index.mkdir(parents=True, exist_ok=True)
        self.name, self._log = name, index.with_name(f"{index.name}.log")
        # the last cores: the first one serves interrupts
        cores = sorted(os.sched_getaffinity(0))[-n_threads:]
        about = {"name": name, "folder": str(data.folder), "index": str(index), "variant": variant}
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [python, "-m", worker, json.dumps({**about, "n_threads": n_threads, "cores": cores})],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment_of(n_threads),
            )

    def ask(self, do: str, **message: Any) -> dict[str, Any]:
        """Let the worker do something and wait for its answer.

        Raises
        ------
        WorkerError    the contender raised, or its process ended
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.send_signal(signal.SIGCONT)
        try:
            self._process.stdin.write(json.dumps({"do": do, **message}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
            raise WorkerError(f"{self.name} ended with status {self._process.wait()}: {''.join(last)}; see {self._log}")
        self._process.send_signal(signal.SIGSTOP)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            with self._log.open("a") as log:
                log.write(answer["trace"])
            raise WorkerError(f"{self.name} could not {do}: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process.poll() is None:
            try:
                self.ask("close")
            except WorkerError as error:
                print(error, file=sys.stderr)
        self._process.send_signal(signal.SIGCONT)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
