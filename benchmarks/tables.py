"""Whole tables as files: bytes and full reads to Arrow of drift, Parquet and Vortex.

Run ``python benchmarks/tables.py``. One process, one core, formats in turn, medians, files in the page cache. Compared
bytes of drift are those of vectors, payload and keys; the codes and tables of the search come on top. drift stores rows
sorted by bucket, the others in the order in which they came.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from harness.pinning import keep_freed_memory, limit_arrow, pin_to_one_core

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> None:
    """Run the benchmark; the exit status is 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with vectors/")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the generated table")
    parser.add_argument("--seconds", type=float, default=3.0, help="per table, of writing and of reading")
    parser.add_argument("--table", action="append", default=[], help="only this table, for example mixed; repeatable")
    parser.add_argument("--cpu", action="store_true", help="time of the processor: for a machine that is busy")
    parser.add_argument("--json", type=Path, help="write all results there")
    arguments = parser.parse_args()
    print(pin_to_one_core())
    keep_freed_memory()
    limit_arrow()
    from tables_bench.run import run

    reached = run(
        arguments.data,
        rows=arguments.rows,
        seconds=arguments.seconds,
        names=arguments.table,
        clock=time.process_time if arguments.cpu else time.perf_counter,
        json_file=arguments.json,
    )
    sys.exit(not reached)


if __name__ == "__main__":
    main()
