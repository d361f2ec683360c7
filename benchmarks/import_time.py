"""What `import drift_arrow` costs beyond `import polars, pyarrow`: medians of fresh processes, in turn.

Run ``python benchmarks/import_time.py``.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 10
TIMED = "import time; started = time.perf_counter(); import {}; print(time.perf_counter() - started)"
HEAVY = ("numba", "duckdb", "grpc", "ray", "hnswlib")
LOADED = f"import sys, drift_arrow; print([name for name in {HEAVY} if name in sys.modules])"


def run(code: str) -> str:
    """Standard output of a fresh interpreter."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def main() -> None:
    """Print both medians, their difference, and which heavy packages were loaded."""
    statements = ("polars, pyarrow", "polars, pyarrow, drift_arrow")
    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(ROUNDS):
        for statement in statements:
            times[statement].append(float(run(TIMED.format(statement))))
    base, ours = (statistics.median(times[statement]) for statement in statements)
    print(f"import polars, pyarrow               {base:.3f} s (median of {ROUNDS}, alternating)")
    print(f"import polars, pyarrow, drift_arrow  {ours:.3f} s")
    print(f"difference                           {ours - base:+.3f} s")
    print(f"heavy packages loaded                {run(LOADED)}")


if __name__ == "__main__":
    main()
