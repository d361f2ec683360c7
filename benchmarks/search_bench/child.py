"""Calls one function in a process of its own, which is bound to its cores before anything is imported."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from typing import Any

from search_bench.remote import WorkerError, environment_of


def call(module: str, n_threads: int, **arguments: Any) -> Any:
    """What `measure` of a module returns.

    Parameters
    ----------
    module : str
        Of this package.
    n_threads : int
        Cores, and threads of each pool.
    **arguments
        For `measure`; as JSON, like what it returns.

    Raises
    ------
    WorkerError    it raised, or its process ended
    """
    cores = sorted(os.sched_getaffinity(0))[-n_threads:]
    about = json.dumps({"module": module, "cores": cores, "arguments": arguments})
    command = [sys.executable, "-m", "search_bench.child", about]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment_of(n_threads))
    if done.returncode:
        raise WorkerError(f"{module} failed: {''.join(done.stderr.strip().splitlines()[-1:])}")
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    """Call, and print what it returns."""
    about = json.loads(sys.argv[1])
    os.sched_setaffinity(0, about["cores"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    found = importlib.import_module(f"search_bench.{about['module']}").measure(**about["arguments"])
    answers.write(json.dumps(found) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
