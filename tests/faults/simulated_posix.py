"""The system calls that `drift_arrow.engine.storage.local` makes, on a `Disk`: the real storage code runs above it.

An object stands in for the modules `os` and `fcntl` and for `FileMap` there, for the time of one process. A call that
the storage begins to make and that is not modelled here raises AttributeError: model it before you trust the tests
again.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any

from tests.faults.disk_model import Disk, Inode


class Killed(BaseException):
    """The process is dead: nothing that it still does has an effect."""


@dataclass
class _Open:
    path: str
    inode: Inode


class SimulatedPosix:
    """One process on a disk.

    Parameters
    ----------
    disk : Disk
    after_change : callable
        Called after every system call that changes the disk, with its name and path; may raise Killed.
    failing_sync : int or None
        Which sync of a file fails with EIO, counted from 1.
    """

    def __init__(
        self,
        disk: Disk,
        after_change: Callable[[str, str], None] = lambda call, path: None,
        failing_sync: int | None = None,
    ) -> None:
        for name in ("O_RDONLY", "O_DIRECTORY", "O_WRONLY", "O_RDWR", "O_CREAT", "O_EXCL", "O_APPEND", "O_CLOEXEC"):
            setattr(self, name, getattr(os, name))
        self.LOCK_EX = self.LOCK_NB = 0
        self._disk = disk
        self._after_change = after_change
        self._open: dict[int, _Open] = {}
        self._next_descriptor = 3
        self._dead = False
        self._syncs_left = failing_sync

    @property
    def has_failed(self) -> bool:
        """Whether the sync that was to fail has failed."""
        return self._syncs_left == 0

    def patch(self, monkeypatch: Any, module: Any) -> None:
        for name in ("os", "fcntl"):
            monkeypatch.setattr(module, name, self)
        monkeypatch.setattr(module, "FileMap", self.map)
        monkeypatch.setattr(module, "open", lambda descriptor, _mode: self._reader(descriptor), raising=False)

    def root(self, path: str) -> Any:
        """A path with the methods of `pathlib.Path` that the storage uses."""
        kind = type("SimulatedPath", (_SimulatedPath,), {"posix": self})
        return kind(path)

    def open(self, path: Any, flags: int, _mode: int = 0o777) -> int:
        name = self._alive(path)
        inode = self._disk.names.get(name)
        if inode is not None and flags & os.O_EXCL:
            raise FileExistsError(17, "File exists", name)
        if inode is None:
            if not flags & os.O_CREAT or posixpath.dirname(name) not in self._disk.names:
                raise FileNotFoundError(2, "No such file or directory", name)
            inode = Inode()
            self._change("open", {name: inode})
        self._next_descriptor += 1
        self._open[self._next_descriptor] = _Open(name, inode)
        return self._next_descriptor

    def close(self, descriptor: int) -> None:
        self._alive()
        del self._open[descriptor]

    def writev(self, descriptor: int, buffers: list[Any]) -> int:
        self._alive()
        data, opened = b"".join(buffers), self._open[descriptor]
        opened.inode.pending.append(data)
        self._changed("writev", opened.path)
        return len(data)

    def fsync(self, descriptor: int) -> None:
        self._alive()
        opened = self._open[descriptor]
        if opened.inode.is_directory:
            self._disk.sync_directory(opened.path)
        else:
            self._sync(opened)
        self._changed("fsync", opened.path)

    fdatasync = fsync

    def link(self, source: Any, target: Any, *, follow_symlinks: bool) -> None:
        assert not follow_symlinks
        name = self._alive(target)
        if name in self._disk.names:
            raise FileExistsError(17, "File exists", name)
        self._change("link", {name: self._disk.names[str(source)]})

    def unlink(self, path: Any) -> None:
        name = self._alive(path)
        if name not in self._disk.names:
            raise FileNotFoundError(2, "No such file or directory", name)
        self._change("unlink", {name: None})

    def rename(self, source: Any, target: Any) -> None:
        name = self._alive(source)
        self._change("rename", {name: None, str(target): self._disk.names[name]})

    def fstat(self, descriptor: int) -> SimpleNamespace:
        return SimpleNamespace(st_size=len(self._open[descriptor].inode.visible))

    def map(self, descriptor: int) -> bytes:
        self._alive()
        return self._open[descriptor].inode.visible

    @contextlib.contextmanager
    def scandir(self, path: Any) -> Iterator[list[_Entry]]:
        directory = self._alive(path)
        if directory not in self._disk.names:
            raise FileNotFoundError(2, "No such file or directory", directory)
        yield [
            _Entry(posixpath.basename(name), inode)
            for name, inode in self._disk.names.items()
            if posixpath.dirname(name) == directory
        ]

    def flock(self, _descriptor: int, _operation: int) -> None:
        """One process at a time uses a disk, and its death releases its locks."""

    def ftruncate(self, _descriptor: int, _length: int) -> None:
        """Only the lock file is ever truncated; what it says is for people."""

    def pwrite(self, _descriptor: int, data: bytes, _offset: int) -> int:
        """As `ftruncate`."""
        return len(data)

    def getpid(self) -> int:
        return 1

    def exists(self, path: str) -> bool:
        return self._alive(path) in self._disk.names

    def mkdir(self, path: str) -> None:
        if self._alive(path) not in self._disk.names:
            self._change("mkdir", {path: Inode(is_directory=True)})

    def list_names(self) -> list[str]:
        return list(self._disk.names)

    def _sync(self, opened: _Open) -> None:
        if self._syncs_left is not None and self._syncs_left > 0:
            self._syncs_left -= 1
            if self._syncs_left == 0:
                opened.inode.is_broken = True
                raise OSError(errno.EIO, "Input/output error", opened.path)
        opened.inode.sync()

    def _reader(self, descriptor: int) -> io.BytesIO:
        return io.BytesIO(self._open.pop(descriptor).inode.visible)

    def _change(self, call: str, names: dict[str, Inode | None]) -> None:
        self._disk.change(names)
        self._changed(call, next(reversed(names)))

    def _changed(self, call: str, path: str) -> None:
        try:
            self._after_change(call, path)
        except Killed:
            self._dead = True
            raise

    def _alive(self, path: Any = "") -> str:
        if self._dead:
            raise Killed
        return str(path)


@dataclass
class _Entry:
    name: str
    inode: Inode

    def is_file(self, *, follow_symlinks: bool) -> bool:
        return not follow_symlinks and not self.inode.is_directory

    def is_dir(self, *, follow_symlinks: bool) -> bool:
        return not follow_symlinks and self.inode.is_directory

    def stat(self, *, follow_symlinks: bool) -> SimpleNamespace:
        assert not follow_symlinks
        return SimpleNamespace(st_size=len(self.inode.visible))


class _SimulatedPath(PurePosixPath):
    posix: SimulatedPosix

    def exists(self) -> bool:
        return self.posix.exists(str(self))

    def mkdir(self, mode: int, *, exist_ok: bool) -> None:
        assert exist_ok or mode
        self.posix.mkdir(str(self))

    def glob(self, pattern: str) -> list[_SimulatedPath]:
        paths = map(type(self), self.posix.list_names())
        return [path for path in paths if path.parent.parent == self and path.match(pattern)]

    def unlink(self, *, missing_ok: bool) -> None:
        assert missing_ok
        self.posix.unlink(self)
