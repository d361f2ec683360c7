"""A root that holds collections by name."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from drift_arrow.engine.collection import Collection
from drift_arrow.engine.commit import MANIFEST_DIRECTORY, list_versions, publish
from drift_arrow.engine.gc import SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.registry import acquire_core, is_open, share_core
from drift_arrow.engine.spec import check_name, make_spec
from drift_arrow.engine.storage.uris import CACHE_BYTES, open_storage
from drift_arrow.engine.wal import WAL_DIRECTORY, Wal, wal_path
from drift_arrow.engine.wal_names import SHARED_EPOCH
from drift_arrow.engine.wal_objects import put_first_object
from drift_arrow.errors import (
    AlreadyExistsError,
    CommitConflictError,
    FencedError,
    InvalidArgumentError,
    NotFoundError,
)
from drift_arrow.format.manifest import Manifest
from drift_arrow.format.wal_record import WalHeader
from drift_arrow.options import check_options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.engine.storage import Storage
    from drift_arrow.options import Options

_DIRECTORIES = (MANIFEST_DIRECTORY, SEGMENT_DIRECTORY, TOMBSTONE_DIRECTORY, WAL_DIRECTORY)


class Database:
    """Collections under one root; see `drift_arrow.connect`."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._handles: list[Collection] = []

    @property
    def uri(self) -> str:
        """Where the collections live."""
        return self._storage.uri

    def create_collection(
        self,
        name: str,
        *,
        schema: Any,
        vector: str,
        key: str,
        metric: str = "l2",
        dim: int | None = None,
        options: Options | None = None,
    ) -> Collection:
        """Create an empty collection and open it.

        Parameters
        ----------
        name : str
            1 to 63 of ``a-z 0-9 _ -``, starting with a letter or digit.
        schema : pyarrow.Schema or polars.Schema
            Names and types of all columns; ``table.schema`` will do.
        vector, key : str
            The column of vectors (FixedSizeList or List of float16, float32 or float64), and the column of unique keys
            (int64, uint64 or string).
        metric : {"l2", "cosine", "dot"}
            Squared Euclidean distance, 1 - cosine, or negative inner product: smaller is closer.
        dim : int, optional
            Needed if the vector column is a List.
        options : Options, optional
            Settings, fixed for the life of the collection.

        Raises
        ------
        AlreadyExistsError
            The name is taken.
        InvalidArgumentError
            Names the bad argument.
        """
        storage = self._storage.child(check_name(name))
        spec = make_spec(schema, vector=vector, key=key, metric=metric, dim=dim, key_seed=secrets.randbits(64))
        wanted = check_options(options)
        _refuse_existing(storage, name)
        storage.make_directories(_DIRECTORIES)
        lock = storage.lock()
        try:
            # another process may have created it meanwhile
            _refuse_existing(storage, name)
            _write_first_version(storage, spec, wanted)
        except (CommitConflictError, FencedError) as error:
            message = f"the collection was created meanwhile: open it with collection({name!r}); path={storage.uri!r}"
            raise AlreadyExistsError(message) from error
        finally:
            lock.release()
        return self.collection(name)

    def collection(self, name: str, *, read_only: bool = False) -> Collection:
        """Open a collection.

        Parameters
        ----------
        name : str
            Of an existing collection.
        read_only : bool
            Take no lock, so that another process may write; `Collection.refresh` moves on to its newest state.

        Raises
        ------
        NotFoundError
            No such collection; the message names those that exist.
        LockedError
            Another process writes it.
        CorruptionError, UnsupportedFormatError
            Its files cannot be trusted.
        """
        storage = self._storage.child(check_name(name))
        if not list_versions(storage):
            message = f"no such collection; got={name!r} existing={self.list_collections()} path={self.uri!r}"
            raise NotFoundError(message)
        handle = _open(storage, name, read_only=read_only)
        self._handles = [*(known for known in self._handles if not known.closed), handle]
        return handle

    def list_collections(self) -> list[str]:
        """Names of the collections, sorted."""
        children = self._storage.list_children()
        return [name for name in children if not name.startswith(".") and list_versions(self._storage.child(name))]

    def drop_collection(self, name: str) -> None:
        """Delete a collection with all its rows, for good.

        Raises
        ------
        NotFoundError
            No such collection.
        InvalidArgumentError
            It is open in this process: close it first.
        LockedError
            Another process writes it.
        """
        storage = self._storage.child(check_name(name))
        if not list_versions(storage):
            message = f"no such collection; got={name!r} existing={self.list_collections()} path={self.uri!r}"
            raise NotFoundError(message)
        if is_open(storage.uri):
            message = f"the collection is open: close its handles first; name={name!r}"
            raise InvalidArgumentError(message)
        lock = storage.lock()
        try:
            self._storage.delete_child(name)
        finally:
            lock.release()

    def close(self) -> None:
        """Close every handle that this database gave out."""
        with contextlib.ExitStack() as stack:
            # each of them, even if another one fails to
            for handle in self._handles:
                stack.callback(handle.close)
            self._handles.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Database {self.uri!r}: {', '.join(self.list_collections()) or 'no collections'}>"


def connect(
    uri: str | os.PathLike[str],
    *,
    storage_options: Mapping[str, Any] | None = None,
    cache_directory: str | os.PathLike[str] | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Database:
    """A database in a local directory, in an object store, or in the memory of this process.

    Parameters
    ----------
    uri : str or PathLike
        A path, ``file:///path``, ``memory://name``, or a prefix in a store that fsspec reaches: ``s3://bucket/prefix``,
        ``gs://``, ``abfs://``.
    storage_options : mapping, optional
        For the fsspec backend of an object store: credentials, an endpoint. Without them it looks where its own
        documentation says, for instance in the environment.
    cache_directory : str or PathLike, optional
        Where copies of remote segments are kept; ``drift_arrow`` in the user's cache directory by default.
    cache_bytes : int
        Most bytes of such copies; the least recently used ones are deleted first.

    Raises
    ------
    InvalidArgumentError
        Another kind of URI, options of another kind of storage, or no driver for the store.

    Notes
    -----
    Opening a collection of an object store for writing takes it over: the writer before is fenced, and its next write
    raises FencedError. A store that cannot promise this is refused when a collection is opened for writing.
    """
    storage = open_storage(os.fspath(uri), storage_options, cache_directory=cache_directory, cache_bytes=cache_bytes)
    return Database(storage)


def open_path(
    path: str | os.PathLike[str], *, read_only: bool, storage_options: Mapping[str, Any] | None = None
) -> Collection:
    """Open a collection by its own path, such as ``./data/docs`` or ``memory://name/docs``.

    Raises
    ------
    NotFoundError, LockedError, CorruptionError, UnsupportedFormatError, InvalidArgumentError
        See `Database.collection`.
    """
    parent, separator, name = os.fspath(path).rstrip("/").rpartition("/")
    if parent.endswith(":/"):
        raise InvalidArgumentError(f"a path names a database and a collection, as in memory://name/docs; got={path!r}")
    database = connect((parent or "/") if separator else ".", storage_options=storage_options)
    return database.collection(name, read_only=read_only)


def _open(storage: Storage, name: str, *, read_only: bool) -> Collection:
    if not read_only:
        return Collection(name, acquire_core(storage), read_only=False)
    core = share_core(storage.uri)
    return Collection(name, Reader(storage) if core is None else core, read_only=True)


def _refuse_existing(storage: Storage, name: str) -> None:
    if list_versions(storage):
        message = f"the collection exists: open it with collection({name!r}); path={storage.uri!r}"
        raise AlreadyExistsError(message)


def _begin_log(storage: Storage) -> uuid.UUID:
    """The log that version 1 builds on; returns the UUID of its collection.

    Raises CommitConflictError if there is a version 1 already.

    Notes
    -----
    Where no lock excludes other creators, all that meet share one log: the first to put object 1 gives the UUID, and
    of their manifests one is version 1. What is deleted was listed before it was seen that there is no manifest, so it
    is nothing that the writer of a finished collection put.
    """
    storage.settle()
    leftovers = storage.list_files(WAL_DIRECTORY)
    collection_uuid, first = uuid.uuid4(), wal_path(SHARED_EPOCH, 1)
    if list_versions(storage):
        raise CommitConflictError(f"the collection exists; path={storage.uri!r}")
    for file in leftovers:
        # of a creation that crashed before its manifest: nothing names it
        if storage.appends or file.path != first:
            storage.delete(file.path)
    if storage.appends:
        Wal(storage, collection_uuid, writer_epoch=1, number=1, first_seqno=1).close()
    elif not put_first_object(storage, collection_uuid):
        collection_uuid = WalHeader.decode(storage.map(first), first).collection_uuid
    return collection_uuid


def _write_first_version(storage: Storage, spec: CollectionSpec, options: Options) -> None:
    collection_uuid = _begin_log(storage)
    manifest = Manifest(
        version=1,
        parent_digest="",
        txn=uuid.uuid4().hex,
        created_ns=time.time_ns(),
        collection_uuid=collection_uuid,
        schema=spec.schema,
        vector=spec.vector,
        key=spec.key,
        metric=spec.metric,
        options=asdict(options),
        key_seed=spec.key_seed,
        writer_epoch=1,
        segments=(),
        wal_floor=1,
        last_seqno=0,
        calibration=None,
    )
    publish(storage, manifest)
