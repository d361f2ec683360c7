"""From a URI to the storage behind it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from drift_arrow.engine.storage.file_cache import FileCache
from drift_arrow.engine.storage.local import LocalStorage
from drift_arrow.engine.storage.memory import MemoryStorage
from drift_arrow.engine.storage.objects import ObjectStorage
from drift_arrow.engine.storage.retry import Retry
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drift_arrow.engine.storage import Storage

CACHE_BYTES: Final = 4 << 30
"""Of copies of remote files, unless the user says otherwise."""

_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure"}


def open_storage(
    uri: str,
    storage_options: Mapping[str, Any] | None = None,
    *,
    cache_directory: str | os.PathLike[str] | None = None,
    cache_bytes: int = CACHE_BYTES,
) -> Storage:
    """The storage behind a URI; see `drift_arrow.connect`."""
    scheme, separator, rest = uri.partition("://")
    if separator and scheme not in {"file", "memory"} and rest.strip("/"):
        directory = _default_cache() if cache_directory is None else Path(cache_directory)
        return _open_objects(uri, storage_options or {}, FileCache(directory, cache_bytes))
    if storage_options:
        message = f"storage options are for object stores; got={sorted(storage_options)} uri={uri!r}"
        raise InvalidArgumentError(message)
    if not separator:
        return LocalStorage(Path(uri).expanduser().resolve())
    if scheme == "file":
        return LocalStorage(Path(unquote(urlsplit(uri).path)).resolve())
    if scheme == "memory" and rest:
        return MemoryStorage(uri)
    message = f"a database is a local directory, memory://name, or a bucket such as s3://bucket/prefix; got={uri!r}"
    raise InvalidArgumentError(message)


def _open_objects(uri: str, storage_options: Mapping[str, Any], cache: FileCache) -> ObjectStorage:
    # it is slow to import, and most databases are local
    import fsspec

    # listings of another process's objects must be new, and an event loop does not survive a fork
    options = {"use_listings_cache": False, "skip_instance_cache": True, **storage_options}
    try:
        files, root = fsspec.core.url_to_fs(uri, **options)
    except ImportError as error:
        scheme = uri.partition("://")[0]
        extra = _EXTRAS.get(scheme)
        remedy = f"pip install 'drift_arrow[{extra}]'" if extra else f"install the fsspec backend of {scheme}://"
        message = f"no driver for this store is installed: {remedy}; uri={uri!r} cause={error}"
        raise InvalidArgumentError(message) from error
    except Exception as error:
        message = f"the store cannot be opened: check the URI and storage_options; got={uri!r} cause={error}"
        raise InvalidArgumentError(message) from error
    return ObjectStorage(files, root.rstrip("/"), uri.rstrip("/"), Retry(), cache)


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "drift_arrow"
