"""Recall and speed while rows come and go, against FAISS, hnswlib, LanceDB and the rule of the original plan.

Run ``python benchmarks/streaming.py``. Runbooks in the style of the streaming track of NeurIPS'23 insert, delete and
search: `clustered` (topics come and go, oldest deleted first), `sliding` window, `expiration` (rows with a lifetime)
and `deletion` (half of all rows at random, after a shift), over generated clusters whose centres move; `sift100k` and
`gitlog256`, windows over real rows in the order of their time. A seed makes each the same every time; true neighbours
are found exactly for each search.

Every contender runs in a process of its own, bound to one core, and does a step when the others are stopped. What a
step sets off in the background is counted with it. drift gets no call but `add`, `delete` and `search`, with options
that make its segments and memtables as small beside the collection as they are beside one of 1 GiB of vectors. The
search of every other contender is tuned once, for a recall of .95 on the first state.

Each `--ablate` adds a run of drift under a name of its own with other options, beside that with the defaults, and a
table of what each is worth. A run named "no healing" also tells what healing costs the updates.

Every step is appended to the file of records as one line of JSON. A run that is whole in the file is not made again, be
it of another version or with other options: delete the file, or name another, to start anew.

Examples
--------
python benchmarks/streaming.py --quick                               a tenth of the rows, drift and FAISS
python benchmarks/streaming.py --runbooks sliding --contenders drift
python benchmarks/streaming.py --contenders drift --ablate "small memtable" memtable_bytes=500000
python benchmarks/streaming.py --plot pictures                       everything
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from streaming_bench.ablation import options_of
from streaming_bench.contender import ENTRIES, PEERS
from streaming_bench.run import Plan, run
from streaming_bench.runbooks import NAMES, Size

_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_CACHE = Path(tempfile.gettempdir()) / "drift-streaming-bench"
_QUICK = 0.1
_QUICK_CONTENDERS = ("drift", "faiss-frozen", "faiss-rebuild")


def main() -> None:
    """Run the benchmark; the exit status is 1 if a bar was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with vectors/ (%(default)s)")
    parser.add_argument("--cache", type=Path, default=_CACHE, help="prepared runbooks (%(default)s)")
    parser.add_argument(
        "--records", type=Path, help="JSON lines, one per step; default: in the cache, by scale and seed"
    )
    parser.add_argument("--runbooks", nargs="+", choices=NAMES, default=NAMES, metavar="RUNBOOK", help=" ".join(NAMES))
    parser.add_argument(
        "--contenders", nargs="+", choices=list(ENTRIES), metavar="NAME", help=f"drift, {', '.join(PEERS)}, exact"
    )
    parser.add_argument("--scale", type=float, default=1.0, help="times the rows of a full run")
    parser.add_argument("--seed", type=int, default=Size().seed)
    parser.add_argument("--settle", type=float, default=20.0, help="seconds for the background after a change, at most")
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, drift and FAISS")
    parser.add_argument(
        "--options", nargs="+", default=[], metavar="OPTION=VALUE", help="of drift, in all of its runs; values as JSON"
    )
    parser.add_argument(
        "--ablate",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "OPTION=VALUE"),
        help="one more run of drift with these options; values as JSON",
    )
    parser.add_argument("--plot", type=Path, help="draw a picture per runbook in this folder", metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        options = options_of(arguments.options)
        variants = {name: options_of(given) for name, *given in arguments.ablate}
    except ValueError as error:
        parser.error(f"options are given as name=value, with values as JSON; {error}")
    scale = _QUICK if arguments.quick else arguments.scale
    size = Size(seed=arguments.seed).scaled(scale) if scale != 1 else Size(seed=arguments.seed)
    plan = Plan(
        data=arguments.data,
        cache=arguments.cache,
        runbooks=arguments.runbooks,
        contenders=arguments.contenders or (_QUICK_CONTENDERS if arguments.quick else ("drift", *PEERS)),
        size=size,
        settle=arguments.settle,
        options=options,
        variants=variants,
    )
    records = arguments.records or arguments.cache / f"records-{scale:g}-{arguments.seed}.jsonl"
    sys.exit(not run(plan, records, arguments.plot))


if __name__ == "__main__":
    main()
