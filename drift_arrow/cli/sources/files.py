"""Paths, URLs and patterns through fsspec."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from drift_arrow.errors import InvalidArgumentError, NotFoundError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fsspec import AbstractFileSystem

EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure"}
"""The extra of drift_arrow that installs what a protocol needs."""


def expand(patterns: list[str]) -> list[str]:
    """Every file that the paths, URLs and patterns (`*`, `?`, `[`) name, in the given order, matches sorted.

    Raises
    ------
    NotFoundError
        A pattern matches nothing.
    InvalidArgumentError
        No file system speaks the protocol of a URL.
    StorageError
        The file system cannot list.
    """
    return [url for pattern in patterns for url in _expand_one(pattern)]


@contextmanager
def opened_file(url: str) -> Iterator[Any]:
    """A seekable binary file, decompressed on the way if its name ends in .gz, .bz2, .xz or .zst.

    Raises
    ------
    NotFoundError
        No such file.
    InvalidArgumentError
        No file system speaks the protocol of the URL.
    StorageError
        The file cannot be opened.
    """
    system, path = _file_system(url)
    try:
        file = system.open(path, "rb", compression="infer")
    except FileNotFoundError as error:
        raise NotFoundError(f"no such file; path={url!r}") from error
    except (OSError, ValueError) as error:
        raise _storage_error(url, error) from error
    with file:
        yield file


def _expand_one(pattern: str) -> list[str]:
    if not any(sign in pattern for sign in "*?["):
        return [pattern]
    system, path = _file_system(pattern)
    try:
        # A name that holds such a sign itself is meant literally.
        matches = [path] if system.exists(path) else sorted(system.glob(path))
    except OSError as error:
        raise _storage_error(pattern, error) from error
    if not matches:
        raise NotFoundError(f"no file matches; pattern={pattern!r}")
    return [system.unstrip_protocol(match) if "://" in pattern else match for match in matches]


def _file_system(url: str) -> tuple[AbstractFileSystem, str]:
    import fsspec

    try:
        system, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        protocol = url.partition("://")[0]
        remedy = f'pip install "drift_arrow[{EXTRAS[protocol]}]"' if protocol in EXTRAS else str(error)
        raise InvalidArgumentError(f"this protocol needs another package: {remedy}; url={url!r}") from error
    except ValueError as error:
        raise InvalidArgumentError(f"no file system speaks this protocol: {error}; url={url!r}") from error
    return system, path


def _storage_error(url: str, error: Exception) -> StorageError:
    return StorageError(f"cannot read: {getattr(error, 'strerror', None) or error}; path={url!r}")
