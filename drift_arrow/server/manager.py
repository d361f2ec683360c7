"""The collections that a server has open."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import drift_arrow
from drift_arrow.errors import ClosedError

if TYPE_CHECKING:
    import pyarrow as pa

    from drift_arrow import Collection


class CollectionManager:
    """Opens each collection of a database once, at its first use, and keeps it until `close`.

    Collections are made by `create` alone, never by a write to a name that does not exist. Safe to call from many
    threads.

    Parameters
    ----------
    root : str
        The database, as `drift_arrow.connect` takes it.
    """

    def __init__(self, root: str) -> None:
        self._database = drift_arrow.connect(root)
        self._lock = threading.Lock()
        self._collections: dict[str, Collection] = {}
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<CollectionManager {self._database.uri!r} open={sorted(self._collections)}>"

    def create(
        self, name: str, *, schema: pa.Schema, vector: str, key: str, metric: str, dim: int | None
    ) -> Collection:
        """Make an empty collection and keep it open.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        InvalidArgumentError
            The name or schema is not acceptable.
        ClosedError
            The manager was closed.
        StorageError
            Writing failed.
        """
        collection = self._database.create_collection(
            name, schema=schema, vector=vector, key=key, metric=metric, dim=dim
        )
        return self._keep(name, collection)

    def get(self, name: str) -> Collection:
        """The open collection of this name.

        Raises
        ------
        NotFoundError
            No such collection.
        LockedError
            Another process writes to it.
        CorruptionError
            Its files are damaged.
        ClosedError
            The manager was closed.
        """
        collection = self._collections.get(name)
        if collection is not None:
            return collection
        # Opened outside the lock: the recovery of one collection must not hold up the others.
        return self._keep(name, self._database.collection(name))

    def close(self) -> None:
        """Close every collection. A second call does nothing."""
        with self._lock:
            if self._is_closed:
                return
            self._is_closed = True
            collections = list(self._collections.values())
            self._collections.clear()
        for collection in collections:
            collection.close()
        self._database.close()

    def _keep(self, name: str, opened: Collection) -> Collection:
        with self._lock:
            is_closed = self._is_closed
            kept = opened if is_closed else self._collections.setdefault(name, opened)
        if is_closed:
            opened.close()
            raise ClosedError("the server is stopping")
        if kept is not opened:
            # Another thread opened the same name meanwhile: this handle is one too many.
            opened.close()
        return kept
