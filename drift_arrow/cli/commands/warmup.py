"""`drift-cli warmup`: compile the kernels ahead of their first use."""

from __future__ import annotations

import time

from drift_arrow.cli.arguments import JsonOption, examples

EPILOG = examples("drift-cli warmup", "RUN pip install drift_arrow && drift-cli warmup     # in a Dockerfile")


def warmup(as_json: JsonOption = False) -> None:
    """Compile all kernels now, not at their first use.

    Once per machine and version: they are kept on disk, and a second run finds them there.
    """
    from drift_arrow.cli.output import console, print_json
    from drift_arrow.cli.progress import step_progress
    from drift_arrow.kernels.warmup import compile_kernels

    started = time.perf_counter()
    with step_progress(console(stderr=True)) as progress:
        task = progress.add_task("kernels", total=None)

        def show(name: str, done: int, total: int) -> None:
            progress.update(task, description=name, completed=done, total=total)

        n_compiled = compile_kernels(show)
    seconds = time.perf_counter() - started
    if as_json:
        print_json({"compiled": n_compiled, "seconds": round(seconds, 3)})
    elif n_compiled:
        print(f"compiled {n_compiled:,} kernels in {seconds:.1f} s; from now on they are loaded")
    else:
        print(f"all kernels were compiled already; loaded in {seconds:.1f} s")
