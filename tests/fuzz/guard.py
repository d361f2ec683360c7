"""Bounds of one input that hold in compiled code too: processor time by RLIMIT_CPU, memory by RLIMIT_AS."""

from __future__ import annotations

import faulthandler
import mmap
import resource
import signal
import struct
from pathlib import Path
from typing import Self

from tests.fuzz.target import MAX_INPUT_BYTES, Target

CPU_SECONDS = 60
"""More than any input can need, also on a machine that is short of memory; the clock on the wall plays no part."""

MEMORY_FACTOR = 64
MEMORY_BYTES = 64 << 20

_COUNTS = struct.Struct("<QQQ")
_PAGE_BYTES = mmap.PAGESIZE


class Journal:
    """Counts and the newest input of a process in a file that outlives it, whatever ends it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        size = _COUNTS.size + MAX_INPUT_BYTES
        with path.open("a+b") as file:
            file.truncate(size)
            self._map = mmap.mmap(file.fileno(), size)

    @property
    def n_inputs(self) -> int:
        return self._counts()[0]

    @property
    def n_accepted(self) -> int:
        return self._counts()[1]

    @property
    def newest(self) -> bytes:
        return self._map[_COUNTS.size : _COUNTS.size + self._counts()[2]]

    def begin(self, data: bytes) -> None:
        n_inputs, n_accepted, _ = self._counts()
        self._map[_COUNTS.size : _COUNTS.size + len(data)] = data
        _COUNTS.pack_into(self._map, 0, n_inputs + 1, n_accepted, len(data))

    def accept(self) -> None:
        n_inputs, n_accepted, length = self._counts()
        _COUNTS.pack_into(self._map, 0, n_inputs, n_accepted + 1, length)

    def _counts(self) -> tuple[int, int, int]:
        return _COUNTS.unpack_from(self._map)


class Guard:
    """Runs a target under the bounds.

    Use as a context manager: it reads the memory in use, and gives the process its freedom back.
    """

    def __init__(self, target: Target, journal: Journal) -> None:
        self._target = target
        self._journal = journal

    def __enter__(self) -> Self:
        # shows where a hang is, then lets it end the process
        faulthandler.register(signal.SIGXCPU, all_threads=False, chain=True)
        self._statm = Path("/proc/self/statm").open("rb", buffering=0)
        return self

    def __exit__(self, *_: object) -> None:
        _limit(resource.RLIMIT_CPU, resource.RLIM_INFINITY)
        faulthandler.unregister(signal.SIGXCPU)
        self._statm.close()

    def run(self, data: bytes) -> bool:
        """Whether the target accepts `data`; raises, or ends the process, if it breaks its contract."""
        self._journal.begin(data)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + CPU_SECONDS)
        _limit(resource.RLIMIT_AS, self._mapped_bytes() + MEMORY_FACTOR * len(data) + MEMORY_BYTES)
        try:
            is_accepted = self._target.accepts(data)
        finally:
            _limit(resource.RLIMIT_AS, resource.RLIM_INFINITY)
        if is_accepted:
            self._journal.accept()
        return is_accepted

    def _mapped_bytes(self) -> int:
        self._statm.seek(0)
        return int(self._statm.read(64).split(b" ", 1)[0]) * _PAGE_BYTES


def _limit(what: int, soft: int) -> None:
    _, hard = resource.getrlimit(what)
    resource.setrlimit(what, (soft, hard))
