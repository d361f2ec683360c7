"""Collections that are open for writing in this process: shared by all handles, closed when the last one is."""

from __future__ import annotations

import atexit
import contextlib
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.commit import list_versions
from drift_arrow.engine.core import Core
from drift_arrow.engine.janitor import Janitor
from drift_arrow.engine.recovery import recover
from drift_arrow.errors import CommitConflictError, CorruptionError, FencedError, LockedError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drift_arrow.engine.recovery import Recovered
    from drift_arrow.engine.storage import Lock, Storage

_TAKE_OVERS: Final = 16

# held for moments; reentrant, since a garbage collection at any moment may release a collection
_guard = threading.RLock()
_open: dict[str, _Shared] = {}
_turns: dict[str, _Turn] = {}


@dataclass(slots=True)
class _Shared:
    core: Core
    janitor: Janitor
    users: int


@dataclass(slots=True)
class _Turn:
    lock: threading.RLock
    users: int


@contextlib.contextmanager
def _turn(uri: str) -> Iterator[None]:
    """One thread at a time opens, shares or closes a collection, which may take long; others are not kept waiting."""
    with _guard:
        turn = _turns.setdefault(uri, _Turn(threading.RLock(), 0))
        turn.users += 1
    try:
        with turn.lock:
            yield
    finally:
        with _guard:
            turn.users -= 1
            if not turn.users:
                del _turns[uri]


def acquire_core(storage: Storage) -> Core:
    """The writer of a collection, opened on first use; every call needs one `release_core`.

    Raises
    ------
    LockedError
        Another process writes the collection; on an object store, one that commits faster than this one can read.
    NotFoundError, CorruptionError, UnsupportedFormatError, StorageError
        See `recover`.
    """
    with _turn(storage.uri):
        shared = _open.get(storage.uri)
        if shared is None:
            core = _open_core(storage)
            shared = _open[storage.uri] = _Shared(core, Janitor(core), 0)
            shared.janitor.start()
        shared.users += 1
        return shared.core


def share_core(uri: str) -> Core | None:
    """The writer of a collection if it is open in this process; then one `release_core` is due."""
    with _turn(uri):
        shared = _open.get(uri)
        if shared is None:
            return None
        shared.users += 1
        return shared.core


def release_core(uri: str) -> None:
    """Give one use back; the last one closes the collection."""
    with _turn(uri):
        shared = _open.get(uri)
        if shared is None:
            return
        shared.users -= 1
        if shared.users == 0:
            _close(uri)


def is_open(uri: str) -> bool:
    """Whether a collection is open for writing in this process."""
    with _turn(uri):
        return uri in _open


def _open_core(storage: Storage) -> Core:
    lock = storage.lock()
    try:
        storage.settle()
        return _take_over(storage, lock)
    except BaseException:
        lock.release()
        raise


def _take_over(storage: Storage, lock: Lock) -> Core:
    """The writer of a collection; where the lock excludes nobody, another one may write between our look and our fence.

    Raises LockedError if one always does.
    """
    for _ in range(_TAKE_OVERS - 1):
        with contextlib.suppress(FencedError, CommitConflictError):
            return _open_fenced(storage, lock)
    try:
        return _open_fenced(storage, lock)
    except (FencedError, CommitConflictError) as error:
        message = (
            "another writer is at work and was faster each time: close it there or open with read_only=True; "
            f"path={storage.uri!r} attempts={_TAKE_OVERS}"
        )
        raise LockedError(message) from error


def _open_fenced(storage: Storage, lock: Lock) -> Core:
    """One attempt; raises FencedError if another writer went on behind what was recovered.

    Notes
    -----
    That the fence could be put does not say that nobody went on: whoever did may have committed and deleted the object
    that stood in its way. Then there is a version that we did not recover.
    """
    core = Core(storage, lock, _recover(storage))
    if not storage.appends and list_versions(storage)[-1] != core.snapshot.manifest.version:
        core.abandon()
        raise FencedError(f"another writer went on meanwhile; path={storage.uri!r}")
    return core


def _recover(storage: Storage) -> Recovered:
    """Recover, again if another writer moved on meanwhile and deleted what we were about to read."""
    while True:
        versions = list_versions(storage)
        try:
            return recover(storage)
        except (NotFoundError, CorruptionError):
            if storage.appends or list_versions(storage) == versions:
                raise


def _close(uri: str) -> None:
    with _turn(uri):
        shared = _open.pop(uri, None)
        if shared is not None:
            shared.janitor.stop()
            shared.core.close()


@atexit.register
def _close_all() -> None:
    """Leave finished logs behind when the interpreter exits, so that the next open is a clean one."""
    with contextlib.ExitStack() as stack:
        for uri in list(_open):
            stack.callback(_close, uri)
