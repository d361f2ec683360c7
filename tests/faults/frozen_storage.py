"""The files of one collection in a dict, to be read but not written: a crash image, or bytes that a test damaged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import NoReturn

from drift_arrow.engine.storage import FileInfo, Lock, Log, Storage
from drift_arrow.errors import LimitExceededError, NotFoundError, StorageError
from drift_arrow.format.layout import Buffer


class FrozenStorage(Storage):
    """A `Storage` over contents by relative path; whatever would change them raises StorageError."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.uri = "frozen"

    def read(self, path: str, limit_bytes: int) -> bytes:
        data = bytes(self.map(path))
        if len(data) > limit_bytes:
            raise LimitExceededError(path)
        return data

    def map(self, path: str) -> memoryview:
        if path not in self.files:
            raise NotFoundError(f"no such file; path={path!r}")
        return memoryview(self.files[path])

    def list_files(self, directory: str) -> list[FileInfo]:
        prefix = f"{directory}/"
        return sorted(
            FileInfo(path, len(data))
            for path, data in self.files.items()
            if path.startswith(prefix) and not path.removeprefix(prefix).startswith(".")
        )

    def list_children(self) -> list[str]:
        return sorted({path.split("/", 1)[0] for path in self.files if "/" in path})

    def child(self, name: str) -> FrozenStorage:
        start = f"{name}/"
        inner = {path.removeprefix(start): data for path, data in self.files.items() if path.startswith(start)}
        return FrozenStorage(inner)

    def make_directories(self, names: object) -> NoReturn:
        self._refuse()

    def create(self, path: str) -> AbstractContextManager[Callable[[Buffer], object]]:
        self._refuse()

    def delete(self, path: str) -> NoReturn:
        self._refuse()

    def delete_child(self, name: str) -> NoReturn:
        self._refuse()

    def settle(self) -> NoReturn:
        self._refuse()

    def open_log(self, path: str) -> Log:
        self._refuse()

    def lock(self) -> Lock:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StorageError("a frozen storage never changes")
