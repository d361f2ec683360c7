"""One object, read by ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drift_arrow.engine.storage.retry import Retry


class ObjectFile:
    """A `RangedSource`: all ranges of a call are under way at once.

    Parameters
    ----------
    files : fsspec.AbstractFileSystem
    full_path, path : str
        As `files` names it, and as errors do.
    size_bytes : int
        Of the object.
    retry : Retry
    """

    def __init__(self, files: Any, full_path: str, path: str, size_bytes: int, retry: Retry) -> None:
        self._files = files
        self._full_path = full_path
        self._path = path
        self._retry = retry
        self.size_bytes = size_bytes

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """See `RangedSource.read_ranges`; raises NotFoundError or StorageError."""
        starts = [start for start, _ in ranges]
        stops = [min(start + length, self.size_bytes) for start, length in ranges]
        paths = [self._full_path] * len(ranges)
        fetched: list[bytes] = self._retry.call(
            lambda: self._files.cat_ranges(paths, starts, stops, on_error="raise"), self._path
        )
        return fetched
