"""A process that is killed at every system call by which it changes files, by strace; one scripted life each time."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import drift_arrow as drift
from drift_arrow.errors import NotFoundError
from tests.faults.killer import ROOT, unexplained_files
from tests.faults.rows import Versions, read_rows
from tests.torture.campaign import Attempt, Campaign
from tests.torture.syscall_worker import life

CALLS = (
    *("openat", "mkdir", "write", "writev", "pwrite64", "ftruncate", "fsync", "fdatasync"),
    *("link", "linkat", "rename", "unlink", "unlinkat", "flock", "close"),
)
"""A kind that a C library has another name for is never met, and costs one life."""


class Victim:
    """Lives one after the other, each killed at one system call.

    Parameters
    ----------
    scratch : Path
        A directory for each life is made in it.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        command = [sys.executable, "-m", "tests.torture.syscall_worker"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self) -> None:
        self._process.communicate()

    def die_at(self, call: str, number: int) -> tuple[Path, int | None, bool]:
        """Directory, newest operation that was acknowledged, and whether the life was over before the call came."""
        root = self._scratch / f"{call}-{number}"
        self._say(str(root))
        victim = self._line()
        inject = f"inject={call}:signal=KILL:when={number}"
        strace = subprocess.Popen(
            ["strace", "-f", "-p", victim, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject],
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert strace.stderr is not None
        # once it is attached it says so
        attached = strace.stderr.readline()
        assert "attached" in attached, f"strace does not attach; it says: {attached}"
        self._say("")
        acknowledged, is_over = None, False
        while (line := self._line()) != "dead":
            assert line != "failed", "the life failed before it was killed; see standard error"
            is_over = is_over or line == "done"
            acknowledged = int(line) if line.isdigit() else acknowledged
        strace.communicate()
        return root, acknowledged, is_over

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the worker ended; see standard error"
        return line.strip()


def what_is_wrong(root: Path, acknowledged: int | None) -> str | None:
    """What a life left that it must not, if anything."""
    after = [Versions(), *(rows for _, rows in life())]
    path = root / "docs"
    try:
        docs = drift.open_path(path, read_only=False)
    except NotFoundError as error:
        return None if acknowledged is None else f"the collection is gone: {error}"
    with docs:
        allowed = after[:1] if acknowledged is None else after[acknowledged : acknowledged + 2]
        found = read_rows(docs.to_batches())
        if found not in allowed:
            return f"other rows; acknowledged={acknowledged} got={found}"
        docs.flush()
        docs.verify()
        if read_rows(docs.to_batches()) != found:
            return "rows changed when the collection was flushed"
    left = unexplained_files(path)
    return f"files that nothing names: {sorted(left)}" if left else None


def sweep(seed: int, scratch: Path) -> Attempt:
    """Kill at every call of one kind, until a life is over before so many of them came."""
    call, tried, violations = CALLS[seed], 0, []
    with contextlib.closing(Victim(scratch)) as victim:
        while True:
            root, acknowledged, is_over = victim.die_at(call, tried + 1)
            if is_over:
                break
            tried += 1
            wrong = what_is_wrong(root, acknowledged)
            violations += [] if wrong is None else [f"{call} number {tried}: {wrong}"]
            shutil.rmtree(root, ignore_errors=True)
    return Attempt(Counter({"": tried}), violations)


SYSCALLS = Campaign(
    name="syscalls",
    what="strace kills a process at every system call by which it changes files",
    unit="kills",
    goal=1_000_000,  # all of them, however many
    attempt=sweep,
    attempts=len(CALLS),
)
