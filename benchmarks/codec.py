"""The codecs of numbers against Vortex, Parquet, pcodec and zstd: bits, encoding and decoding into fresh Arrow buffers.

Run ``python benchmarks/codec.py``. One process, one core, codecs in turn, medians; every round trip is compared bit for
bit. Real columns come from a folder beside the checkout if it is there (`--data`), else generated ones stand in. `hot`
columns are decoded again right after a first time; those of 17 MB are not, and leave the caches.

drift is measured from stored bytes to an Arrow array, with all checks, in blocks of the rows of an extent; as
`drift-16MiB` in the largest blocks there are; and as `drift-kernel` without parsing. Vortex starts from its parsed
arrays in memory.
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
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with alp/ and vectors/")
    parser.add_argument("--seconds", type=float, default=0.4, help="per column, of encoding and of decoding")
    parser.add_argument(
        "--group", action="append", default=[], help="only this group, for example row_group; repeatable"
    )
    parser.add_argument("--values", type=int, help="at most so many of each column, to try things out")
    parser.add_argument("--cpu", action="store_true", help="time of the processor: for a machine that is busy")
    parser.add_argument("--json", type=Path, help="write all results there")
    parser.add_argument("--plot", type=Path, help="draw speed over bits there")
    arguments = parser.parse_args()
    print(pin_to_one_core())
    keep_freed_memory()
    limit_arrow()
    from codec_bench.run import run

    reached = run(
        arguments.data,
        seconds=arguments.seconds,
        groups=arguments.group,
        most_values=arguments.values,
        clock=time.process_time if arguments.cpu else time.perf_counter,
        json_file=arguments.json,
        plot_file=arguments.plot,
    )
    sys.exit(not reached)


if __name__ == "__main__":
    main()
