"""Whether a store keeps the promise that everything is built on: of many conditional puts of one name, one succeeds."""

from __future__ import annotations

import contextlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from drift_arrow.engine.storage.retry import Retry

_DIRECTORY: Final = ".probe"
_RACERS: Final = 8
# these look before they write, which a probe sees only when two writers happen to meet
_RACY: Final = frozenset({"ArrowFSWrapper", "LocalFileSystem", "MemoryFileSystem"})

_guard = threading.Lock()
_passed: set[str] = set()


def check_conditional_put(files: Any, root: str, uri: str, retry: Retry) -> None:
    """Try a store before anything is written to it, once in a process for each root.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
    root, uri : str
        A prefix as `files` names it, and as users do.
    retry : Retry

    Raises
    ------
    InvalidArgumentError
        Two writers could both believe that they hold the collection; names the backend and the remedy.
    StorageError, NotFoundError
        The store does not answer, or has no such bucket.
    """
    with _guard:
        if root in _passed:
            return
    if _kinds(files) & _RACY:
        raise _refusal(files, uri, "it looks whether a file exists before it writes it")
    path = f"{root}/{_DIRECTORY}/{uuid.uuid4()}"
    try:
        _check(files, path, uri, retry)
    finally:
        with contextlib.suppress(Exception):
            files.rm([path, f"{path}-race"])
    with _guard:
        _passed.add(root)


def _kinds(files: Any) -> set[str]:
    """Names of the classes of a file system, and of the one that it wraps."""
    inner = getattr(files, "fs", None)
    below = set() if inner is None or inner is files else _kinds(inner)
    return {kind.__name__ for kind in type(files).__mro__} | below


def _check(files: Any, path: str, uri: str, retry: Retry) -> None:
    retry.call(lambda: files.pipe_file(path, b"first"), path)
    if _wins(files, path, b"second"):
        raise _refusal(files, uri, "it overwrote an object that was to be put only if its name is free")
    if retry.call(lambda: files.cat_file(path), path) != b"first":
        raise _refusal(files, uri, "an object is another one after a conditional put of its name was refused")
    race = f"{path}-race"
    with ThreadPoolExecutor(_RACERS) as pool:
        racers = [str(number).encode() for number in range(_RACERS)]
        wins = list(pool.map(lambda racer: _wins(files, race, racer), racers))
    stored = retry.call(lambda: files.cat_file(race), race)
    believed = [racer for racer, won in zip(racers, wins, strict=True) if won]
    # a winner whose answer was lost does not know of it
    if believed not in ([], [stored]):
        raise _refusal(files, uri, f"{len(believed)} of {_RACERS} writers of one name succeeded")


def _wins(files: Any, path: str, data: bytes) -> bool:
    try:
        files.pipe_file(path, data, mode="create")
    except Exception:  # noqa: BLE001 - stores refuse in different ways, and a lost request is no success either
        return False
    return True


def _refusal(files: Any, uri: str, reason: str) -> InvalidArgumentError:
    message = (
        f"this store cannot tell two writers apart: {reason}; use S3, Google Cloud Storage or Azure Blob Storage, a "
        f"local path, or memory://name, or open with read_only=True; backend={type(files).__name__} path={uri!r}"
    )
    return InvalidArgumentError(message)
