"""Read-only handles of the collections that SQL names.

A query borrows a handle while it reads. Where this process writes the collection, that is a handle on the writer.
Otherwise a reader of its own is opened, and the readers of the last few collections stay open: the next query pays for
a look at the newest manifest, not for opening and checking every file.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from drift_arrow.engine import Collection, open_path
from drift_arrow.engine.registry import is_open
from drift_arrow.engine.storage.uris import open_storage
from drift_arrow.errors import DriftError

_SLOTS_MAX: Final = 8
"""Collections whose reader stays open."""

_lock = threading.Lock()
_slots: Final[OrderedDict[str, _Slot]] = OrderedDict()


@dataclass(slots=True)
class _Slot:
    """Place of one reader; the lock keeps two queries from opening or refreshing it at once."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    reader: Collection | None = None


@contextmanager
def borrow(path: str) -> Iterator[Collection]:
    """A handle that sees the newest durable state of a collection.

    Parameters
    ----------
    path : str
        Directory of the collection, such as './data/docs' or 'memory://x/docs'.

    Yields
    ------
    Collection
        For use inside the context.

    Raises
    ------
    NotFoundError
        There is no collection.
    DriftError
        It cannot be opened or refreshed.
    """
    uri = open_storage(path).uri  # absolute: the meaning of './data' changes with the working directory
    reader = None if is_open(uri) else _newest_reader(uri, path)
    if reader is not None:
        yield reader
        return
    with open_path(path, read_only=True) as collection:
        yield collection


def close_all() -> None:
    """Close the readers that stayed open."""
    with _lock:
        readers = [slot.reader for slot in _slots.values()]
        _slots.clear()
    for reader in readers:
        if reader is not None:
            reader.close()


def _newest_reader(uri: str, path: str) -> Collection | None:
    """The reader of a collection at the newest durable state; None if this process began to write it meanwhile."""
    slot = _slot(uri)
    with slot.lock:
        if slot.reader is not None and _moved_on(slot.reader):
            return slot.reader
        slot.reader = None
        try:
            collection = open_path(path, read_only=True)
        except DriftError:
            _forget(uri)
            raise
        if is_open(uri):
            # The handle may be one on the writer: kept, it would hold the collection open for writing.
            collection.close()
            return None
        slot.reader = collection
        return collection


def _moved_on(reader: Collection) -> bool:
    """Refresh a reader; False where its collection is gone, replaced by another of the same name, or unreadable."""
    uuid = reader.pin().manifest.collection_uuid
    try:
        reader.refresh()
    except DriftError:
        return False  # opening it again says what is wrong
    return reader.pin().manifest.collection_uuid == uuid


def _slot(uri: str) -> _Slot:
    """The slot of a collection, now the last to be given up."""
    with _lock:
        slot = _slots.setdefault(uri, _Slot())
        _slots.move_to_end(uri)
        while len(_slots) > _SLOTS_MAX:
            # Not closed, for a query may be reading from it: its files go with its last reference.
            _slots.popitem(last=False)
        return slot


def _forget(uri: str) -> None:
    """Give up the slot of a collection that cannot be read."""
    with _lock:
        _slots.pop(uri, None)
