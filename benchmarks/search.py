"""Search against FAISS, hnswlib, USearch, LanceDB, DuckDB VSS, Qdrant local and Milvus Lite: speed at equal recall.

Run ``python benchmarks/search.py``. Every contender works in a process of its own, bound to as many cores as it may use
threads, and is stopped by a signal while another has its turn; turns are short and go round in shuffled order. A first
look finds the settings on each contender's frontier of speed and recall; only those are timed. Indexes and exact
neighbours are cached, and built again when a version changes; for drift, when any of its sources does.

drift is measured through its public interface, with three payload columns as an Arrow table, as LanceDB is; and as
`drift-kernel` below it, where row numbers and distances come back, as from FAISS, hnswlib and USearch.

Parts: `single` and `batch` queries over the whole range of recalls, with what indexes cost in time, disk and memory;
`targets`: recall asked for and found; `filters` of several selectivities; `memtable`: rows that are not flushed yet;
`concurrent`: four threads that search beside one that writes; `kernel`: the scan of codes beside a plain read.

DuckDB VSS needs an environment of its own, with duckdb==1.5.5, duckdb-extension-vss==1.5.5, numpy and pyarrow; name its
interpreter by --duckdb-python.

Examples
--------
python benchmarks/search.py --quick                                  two minutes, 10,000 rows
python benchmarks/search.py --sets sift100k --peers faiss-ivf-sq8 hnswlib --threads 1 --parts single
python benchmarks/search.py --sets sift100k --parts filters          against LanceDB's prefilter and FAISS's ID selector
python benchmarks/search.py --plot frontier.png --json results.json  everything; hours, most of them to build peers
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from search_bench.contender import OURS, PEERS
from search_bench.inputs import FULL, SETS
from search_bench.run import NAMES, run
from search_bench.stage import Plan
from search_bench.sweep import QUICK, Budget

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_CACHE = Path(tempfile.gettempdir()) / "drift-search-bench"
_QUICK_PARTS = ("single", "batch")
_QUICK_PEERS = ("faiss-ivf-sq8", "hnswlib", "lancedb")


def main() -> None:
    """Run the benchmark; the exit status is 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with vectors/ (%(default)s)")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="prepared sets and indexes (%(default)s)")
    parser.add_argument("--sets", nargs="+", choices=list(SETS), help=f"default: {' '.join(FULL)}", metavar="SET")
    parser.add_argument("--peers", nargs="*", choices=PEERS, help=f"default: all of {' '.join(PEERS)}", metavar="PEER")
    parser.add_argument("--parts", nargs="+", choices=NAMES, help=f"default: all of {' '.join(NAMES)}", metavar="PART")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2], help="numbers of threads; default: 1 2")
    parser.add_argument("--seconds", type=float, help="of timed rounds, per set, part and number of threads")
    parser.add_argument("--cpu", action="store_true", help="time of the processor: for a busy machine, one thread")
    parser.add_argument("--quick", action="store_true", help="10,000 rows, three peers, short rounds")
    parser.add_argument("--duckdb-python", help="interpreter of the environment for DuckDB VSS", metavar="PYTHON")
    parser.add_argument("--json", type=Path, help="write all results there")
    parser.add_argument("--plot", type=Path, help="draw speed over recall there")
    arguments = parser.parse_args()
    if arguments.cpu and arguments.threads != [1]:
        parser.error("--cpu counts all threads together: use it with --threads 1")
    budget = QUICK if arguments.quick else Budget()
    if arguments.seconds is not None:
        budget = replace(budget, seconds=arguments.seconds)
    budget = replace(budget, is_cpu=arguments.cpu)
    peers = arguments.peers if arguments.peers is not None else _QUICK_PEERS if arguments.quick else PEERS
    plan = Plan(
        data=arguments.data,
        cache=arguments.cache,
        sets=arguments.sets or (["sift10k"] if arguments.quick else FULL),
        contenders=[*OURS, *peers],
        parts=arguments.parts or (_QUICK_PARTS if arguments.quick else NAMES),
        threads=arguments.threads,
        budget=budget,
        pythons={"duckdb-vss": arguments.duckdb_python} if arguments.duckdb_python else {},
    )
    sys.exit(not run(plan, json_file=arguments.json, plot_file=arguments.plot))


if __name__ == "__main__":
    main()
