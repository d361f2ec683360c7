"""A file that is there as a whole, or not at all."""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from drift_arrow.errors import AlreadyExistsError, NotFoundError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_file(path: str, *, overwrite: bool) -> Iterator[str]:
    """A temporary path beside `path`, which takes its place when the block ends, or vanishes when it raises.

    Raises
    ------
    AlreadyExistsError
        `path` exists and `overwrite` is off; asked before the work and once more after it.
    NotFoundError
        Its directory does not exist.
    StorageError
        Writing failed.

    Notes
    -----
    1 temporary file, 2 fsync, 3 rename(2), 4 fsync of the directory. A crash at any step leaves the old state or the
    whole file, and maybe a `.partial` file.
    """
    final = Path(path)
    _refuse(final, overwrite=overwrite)
    partial = final.with_name(f".{final.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        try:
            yield str(partial)  # 1
            _sync(partial)  # 2
            _refuse(final, overwrite=overwrite)
            partial.replace(final)  # 3
        finally:
            partial.unlink(missing_ok=True)
        _sync(final.parent)  # 4
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"cannot write: {error.strerror or error}; path={path!r}") from error


def _refuse(final: Path, *, overwrite: bool) -> None:
    if final.is_dir():
        raise AlreadyExistsError(f"this is a directory: name a file in it; path={str(final)!r}")
    if not overwrite and final.exists():
        raise AlreadyExistsError(f"the file exists: --force overwrites it; path={str(final)!r}")
    if not final.parent.is_dir():
        raise NotFoundError(f"no such directory; path={str(final.parent)!r}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
