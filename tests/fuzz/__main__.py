"""`python -m tests.fuzz`: feed damaged bytes, under checksums that are right, to the parsers of the file formats.

A parser takes an input, or raises CorruptionError or UnsupportedFormatError. It never needs more than 60 seconds of
processor time, nor more memory than 64 times the input and 64 MiB.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.guard import Journal

ROOT = Path(__file__).resolve().parents[2]
# Threads of libraries would take memory that is not the parser's.
QUIET = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "ARROW_IO_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
}
EXAMPLES = """examples:
  python -m tests.fuzz --seconds 120                       two minutes, shared by all targets
  python -m tests.fuzz --target wal --runs 1000000         a million inputs for one of them
  python -m tests.fuzz --target wal --input fuzz-findings/wal-0123456789ab.bin"""


def main() -> int:
    """Run each target in a process of its own; the exit code is 1 if one of them breaks its contract."""
    arguments = parse_arguments()
    return int(sum(not run_target(name, arguments) for name in arguments.target) > 0)


def parse_arguments() -> argparse.Namespace:
    """The command line; `target` becomes a list of names."""
    names = target_names()
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--target", default="all", choices=["all", *names], help="parser to feed; all of them")
    parser.add_argument("--runs", type=int, help="inputs per target; no bound if --seconds is given, else 1,000")
    parser.add_argument("--seconds", type=float, help="time in all, shared by the targets")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other inputs; 0")
    parser.add_argument("--chance", action="store_true", help="do not use atheris, even if it is installed")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="where inputs that fail are kept")
    parser.add_argument("--input", type=Path, help="run this one input instead, which names one target")
    arguments = parser.parse_args()
    if arguments.input is not None and arguments.target == "all":
        parser.error("--input needs --target")
    arguments.target = names if arguments.target == "all" else [arguments.target]
    arguments.runs = arguments.runs or (1_000 if arguments.seconds is None else sys.maxsize)
    arguments.seconds = float("inf") if arguments.seconds is None else arguments.seconds / len(arguments.target)
    return arguments


def target_names() -> list[str]:
    """Names of all targets, from a process of its own: this one stays small."""
    return subprocess.run(worker_command(), cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def worker_command(*words: str) -> list[str]:
    """The command that runs targets; its process ends with the first that breaks its contract."""
    settings = [f"{key}={value}" for key, value in QUIET.items()]
    return ["env", *settings, sys.executable, "-m", "tests.fuzz.worker", *words]


def run_target(name: str, arguments: argparse.Namespace) -> bool:
    """Whether the target kept its contract; prints what it did, and keeps the input on which it did not."""
    with tempfile.TemporaryDirectory(prefix="drift-fuzz-") as scratch:
        path = Path(scratch) / "journal"
        journal = Journal(path)
        done = subprocess.run(
            worker_command(name, "--journal", str(path), *worker_options(arguments)),
            cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        print(f"{name:18} {journal.n_inputs:>9,} inputs, {journal.n_accepted:>9,} of them accepted", flush=True)
        if done.returncode == 0:
            return True
        print("\n".join(done.stderr.splitlines()[-40:]), file=sys.stderr)
        kept = arguments.input or keep(journal.newest, name, arguments.findings)
        print(f"{name}: exit code {done.returncode}; again: python -m tests.fuzz --target {name} --input {kept}")
        return False


def worker_options(arguments: argparse.Namespace) -> list[str]:
    """What the process of a target is told."""
    if arguments.input is not None:
        return ["--input", str(arguments.input.absolute())]
    bounds = ["--runs", str(arguments.runs), "--seconds", str(arguments.seconds), "--seed", str(arguments.seed)]
    is_guided = not arguments.chance and importlib.util.find_spec("atheris") is not None
    return [*bounds, "--guided"] if is_guided else bounds


def keep(data: bytes, name: str, directory: Path) -> Path:
    """Write an input to a file named after it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}.bin"
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main())
