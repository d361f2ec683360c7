"""Writers that are stopped in the middle of whatever they do, taken over from, and let go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import drift_arrow as drift
from tests.tables import make_table

ROOT = Path(__file__).resolve().parents[2]


class PausedWriters:
    """One writer after the other on the collection "docs" of an object store.

    Parameters
    ----------
    connect : callable
        Opens the store as a machine of its own would.
    uri, options, cache : what the writers connect with
    """

    def __init__(self, connect: Callable[[], drift.Database], uri: str, options: dict[str, str], cache: Path) -> None:
        command = [sys.executable, "-m", "tests.storage.paused_writer", uri, json.dumps(options), str(cache)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._connect = connect

    def close(self) -> None:
        self._process.communicate()

    def round(self, first_key: int, n_acknowledged: int, after_s: float) -> str | None:
        """Let a writer acknowledge so many rows, stop it, take over, let it go on; what was wrong, or None.

        At least one row: a writer that has not opened the collection when it is stopped is the one that takes over.
        """
        assert self._process.stdin is not None
        self._process.stdin.write(f"{first_key}\n")
        self._process.stdin.flush()
        writer = int(self._line())
        said = [int(self._line()) for _ in range(n_acknowledged)]
        time.sleep(after_s)
        os.kill(writer, signal.SIGSTOP)
        with self._connect() as db:
            docs = db.collection("docs")
            taken = set(docs.scan().select("id").collect()["id"])
            docs.add(make_table(1, start=first_key + 10**5))
            docs.flush()
            os.kill(writer, signal.SIGCONT)
            while (line := self._line()).isdigit():
                # it may have been put before the writer was stopped
                said.append(int(line))
                if len(said) > n_acknowledged + 500:
                    os.kill(writer, signal.SIGKILL)
                    return f"a writer went on after it was taken over from; rows of each={first_key}"
            stored = set(docs.scan().select("id").collect()["id"])
        if line != "fenced":
            return f"the writer ended otherwise; said={line}"
        if not set(said) <= taken:
            return f"a writer acknowledged rows after it was taken over from; keys={sorted(set(said) - taken)}"
        if stored != taken | {first_key + 10**5}:
            return f"rows changed after the take-over; keys={sorted(stored ^ taken)}"
        return None

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the writers ended; see standard error"
        return line.strip()
