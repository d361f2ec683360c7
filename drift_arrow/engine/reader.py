"""A collection opened for reading only: beside a writer in another process, without a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drift_arrow.engine.commit import list_versions, manifest_path, read_newest
from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.recovery import recover
from drift_arrow.engine.row_space import take_found
from drift_arrow.engine.snapshot import find_live
from drift_arrow.engine.verify import verify_collection
from drift_arrow.engine.wal import WAL_DIRECTORY
from drift_arrow.errors import ClosedError, CorruptionError, NotFoundError
from drift_arrow.format.layout import MAX_MANIFEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from drift_arrow.engine.recovery import Recovered
    from drift_arrow.engine.storage import FileInfo, Storage
    from drift_arrow.engine.verify import VerifyReport
    from drift_arrow.format.segment_reader import SegmentReader

_State = tuple[bytes, list["FileInfo"]]
"""Newest manifest, and the log files behind it with their sizes: whatever changes a collection changes one of both."""


class Reader:
    """The durable state of a collection at the time of opening or of the last `refresh`.

    Parameters
    ----------
    storage : Storage
        Of the collection.
    """

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._closed = False
        self._adopt(*_recover_beside_writer(storage, {}))

    def refresh(self) -> None:
        """Move to the newest durable state; two directory listings and a small file if nothing changed."""
        self.check_open()
        if _state(self.storage) != self._state:
            known = {view.entry.path: view.reader for view in self.snapshot.segments}
            queries = self.snapshot.observations.queries
            self._adopt(*_recover_beside_writer(self.storage, known))
            # what this process searched for, no file says
            self.snapshot.observations.queries = queries

    def _adopt(self, state: _State, recovered: Recovered) -> None:
        # the shape too: the collection may have been dropped and made anew under its name
        self.spec = recovered.spec
        self.options = recovered.options
        self.snapshot = recovered.snapshot
        self._state = state

    def get(self, keys: pa.Array, columns: list[str]) -> pa.Table:
        """Rows of the given keys, in their order, left out where there is none."""
        self.check_open()
        snapshot = self.snapshot
        return take_found(snapshot, find_live(snapshot.views, fingerprint_keys(keys, self.spec)), columns)

    def verify(self) -> VerifyReport:
        """Check every byte of the collection, whose newest version may be newer than the one that is read."""
        self.check_open()
        while True:
            state = _newest_manifest(self.storage)
            try:
                return verify_collection(self.storage, read_newest(self.storage).version)
            except (NotFoundError, CorruptionError):
                # as at opening, a writer may have moved on meanwhile
                if _newest_manifest(self.storage) == state:
                    raise

    def check_open(self) -> None:
        """Raise ClosedError after `close`."""
        if self._closed:
            message = f"the collection is closed: open it again; path={self.storage.uri!r}"
            raise ClosedError(message)

    def close(self) -> None:
        """Refuse further use."""
        self._closed = True


def _state(storage: Storage) -> _State:
    return _newest_manifest(storage), storage.list_files(WAL_DIRECTORY)


def _newest_manifest(storage: Storage) -> bytes:
    """Bytes of the newest manifest, unique by its random transaction; empty if there is none."""
    versions = list_versions(storage)
    try:
        return storage.read(manifest_path(versions[-1]), MAX_MANIFEST_BYTES) if versions else b""
    except NotFoundError:
        # replaced between the listing and the reading
        return b""


def _recover_beside_writer(storage: Storage, known: Mapping[str, SegmentReader]) -> tuple[_State, Recovered]:
    """Recover, again if a writer moved on meanwhile: its Janitor deletes files between our listing and our opening."""
    while True:
        state = _state(storage)
        try:
            return state, recover(storage, known)
        except (NotFoundError, CorruptionError):
            if _newest_manifest(storage) == state[0]:
                raise
