"""What the first use in a process costs: imports, the first read of a collection, and compiling all kernels once.

Run ``python benchmarks/first_use.py``. Every figure is from fresh processes. The cache of compiled kernels is a new
folder: empty at first, then as the processes before left it. The one of this machine is neither used nor changed.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from harness.report import Bar, bar_table

_WRITE = """
import sys
import numpy as np, pyarrow as pa
import drift_arrow as drift
rng = np.random.default_rng(0)
rows = 20_000
table = pa.table({
    "id": np.arange(rows),
    "price": np.round(rng.gamma(2, 20, rows), 2),
    "real": rng.normal(size=rows),
    "vector": pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=rows * 8).astype(np.float32)), 8),
})
with drift.connect(sys.argv[1]) as db:
    docs = db.create_collection("t", schema=table.schema, vector="vector", key="id")
    docs.add(table)
    docs.flush()
"""

_READ = """
import sys, time
import polars, pyarrow
started = time.perf_counter()
import drift_arrow as drift
imported = time.perf_counter()
rows = sum(batch.num_rows for batch in drift.connect(sys.argv[1]).collection("t", read_only=True).to_batches())
assert rows == 20_000
print(imported - started, time.perf_counter() - started, "numba" in sys.modules)
"""

_COMPILE = """
import time
started = time.perf_counter()
from drift_arrow.kernels.warmup import compile_kernels
print(compile_kernels(), time.perf_counter() - started)
"""


class Ended(NamedTuple):
    """A process that has ended.

    words : list of str     that it printed
    notice : str            on standard error
    seconds, cpu : float    from its start to its end; of all processors, children included
    """

    words: list[str]
    notice: str
    seconds: float
    cpu: float


def fresh_process(code: str, *arguments: str, cache: Path) -> Ended:
    """Run code in a new interpreter with this cache of compiled kernels."""
    started, before = time.perf_counter(), _children_cpu()
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )
    elapsed = time.perf_counter() - started
    return Ended(done.stdout.split(), done.stderr.strip(), elapsed, _children_cpu() - before)


def _children_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print all figures and bars; the exit status is 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="processes of which the median is taken")
    parser.add_argument("--no-cold", action="store_true", help="do not measure how long all kernels take to compile")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [] if arguments.no_cold else cold(Path(folder))
        found += warm(Path(folder), arguments.rounds)
    print(bar_table(found))
    sys.exit(any(bar.verdict == "MISS" for bar in found))


def cold(folder: Path) -> list[Bar]:
    """All kernels with an empty cache, and a first read without them."""
    root, empty, cache = str(folder / "cold data"), folder / "empty", folder / "cold"
    fresh_process(_WRITE, root, cache=folder / "writer")
    compiled = fresh_process(_COMPILE, cache=cache)
    again = fresh_process(_COMPILE, cache=cache)
    read = fresh_process(_READ, root, cache=empty)
    kernels, seconds = compiled.words
    note = (
        f"{kernels} kernels, {compiled.cpu:.1f} s of all processors; again with the cache {float(again.words[1]):.1f} s"
    )
    notice = f"notice: {read.notice or 'none'}"
    return [
        Bar(name="compiling all kernels, s", value=float(seconds), limit=30, at_most=True, note=note),
        Bar(name="first read that compiles, s", value=float(read.words[1]), limit=30, at_most=True, note=notice),
    ]


def warm(folder: Path, rounds: int) -> list[Bar]:
    """A collection, read by processes that find their kernels compiled."""
    root, cache = str(folder / "data"), folder / "warm"
    fresh_process(_WRITE, root, cache=cache)
    fresh_process(_READ, root, cache=cache)
    reads = [fresh_process(_READ, root, cache=cache) for _ in range(rounds)]
    imports, first = (statistics.median(float(read.words[number]) for read in reads) for number in range(2))
    whole = statistics.median(read.seconds for read in reads)
    cpu = statistics.median(read.cpu for read in reads)
    numba = "with numba" if reads[0].words[2] == "True" else "without numba"
    note = f"{numba}, after `import polars, pyarrow`; the whole process {whole:.2f} s, {cpu:.2f} s of all processors"
    return [
        Bar(
            name="import drift_arrow, s", value=imports, limit=0.1, at_most=True, note="beyond `import polars, pyarrow`"
        ),
        Bar(name="first read of a collection, s", value=first, limit=1.0, at_most=True, note=note),
    ]


if __name__ == "__main__":
    main()
