"""Some targets in this process; `tests.fuzz.__main__` starts it and keeps what it dies of."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import drift_arrow.kernels

# No module of the format before atheris has had its way with them.
if TYPE_CHECKING:
    from tests.fuzz.target import Target


def main() -> None:
    """Run the targets one after the other; without any, print the names of all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--journal", type=Path)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--guided", action="store_true")
    parser.add_argument("--input", type=Path)
    arguments = parser.parse_args()
    targets = _targets(is_guided=arguments.guided)
    if not arguments.targets:
        print("\n".join(targets))
    for name in arguments.targets:
        # the last line on stderr of a process that dies
        print(name, file=sys.stderr, flush=True)
        _warm_up(targets[name])
        _run(targets[name], arguments)


def _run(target: Target, arguments: argparse.Namespace) -> None:
    from tests.fuzz.guard import Guard, Journal
    from tests.fuzz.loops import run_by_chance, run_guided

    journal = Journal(arguments.journal)
    if arguments.input is not None:
        with Guard(target, journal) as guard:
            print("accepted" if guard.run(arguments.input.read_bytes()) else "refused")
        return
    run = run_guided if arguments.guided else run_by_chance
    run(target, journal, runs=arguments.runs, seconds=arguments.seconds, seed=arguments.seed)


def _targets(*, is_guided: bool) -> dict[str, Target]:
    if is_guided:
        import atheris

        # Numba compiles the bytecode of the kernels, and must not meet that of atheris in it.
        for kernel in pkgutil.iter_modules(drift_arrow.kernels.__path__):
            importlib.import_module(f"drift_arrow.kernels.{kernel.name}")
        with atheris.instrument_imports(include=["drift_arrow.format"], enable_loader_override=False):
            importlib.import_module("drift_arrow.format.segment_reader")
    from tests.fuzz.targets import TARGETS

    return TARGETS


def _warm_up(target: Target) -> None:
    """Valid inputs compile every kernel while memory is still unbounded."""
    import pyarrow as pa

    pa.set_cpu_count(1)
    for seed in target.seeds():
        if not target.accepts(seed):
            sys.exit(f"a seed of the target {target.name} is refused")


if __name__ == "__main__":
    main()
