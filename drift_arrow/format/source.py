"""Where the bytes of a file come from: memory that holds all of it, or a store that is asked for ranges."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

from drift_arrow.errors import CorruptionError
from drift_arrow.format.buffer import byte_view
from drift_arrow.format.layout import COALESCE_GAP_BYTES, Buffer, padding_bytes

Span = tuple[int, int]
"""Offsets of the first byte, and of the one behind the last."""


@runtime_checkable
class RangedSource(Protocol):
    """A file that is not in memory, for instance an object in a store.

    Both methods may raise whatever the store raises: it passes through. They are called by many threads.
    """

    @property
    def size_bytes(self) -> int:
        """Size of the file."""
        ...

    def read_ranges(self, ranges: Sequence[tuple[int, int]]) -> Sequence[Buffer]:
        """The bytes of each (offset, length), in order; fewer only where the file ends before."""
        ...


class MappedFile:
    """A whole file in memory, for instance a read-only memory map, which it keeps alive.

    Parameters
    ----------
    data : buffer
    """

    is_mapped: Final = True

    def __init__(self, data: Buffer) -> None:
        self._view = byte_view(data)
        self.size_bytes = len(self._view)
        # of maps that keep it open, for what is to be read without a page of the map
        self.descriptor: int | None = getattr(self._view.obj, "descriptor", None)

    def read(self, spans: Sequence[Span]) -> list[memoryview]:
        """A view of each span; shorter where the file ends before."""
        return [self._view[start:stop] for start, stop in spans]

    def release(self, span: Span | None = None) -> None:
        """Keep no page of a map in this process: what is needed again comes from the cache of the system.

        Of a span, by default of the whole file, only the pages that lie in it.
        """
        start, stop = (0, self.size_bytes) if span is None else span
        start += padding_bytes(start, mmap.PAGESIZE)
        if isinstance(self._view.obj, mmap.mmap) and self._view.readonly and start < stop:
            length = stop - start if stop == self.size_bytes else (stop - start) // mmap.PAGESIZE * mmap.PAGESIZE
            self._view.obj.madvise(mmap.MADV_DONTNEED, start, length)


class FetchedFile:
    """A file that is read by ranges: near ones as one, all of a call in one request to the source.

    Parameters
    ----------
    source : RangedSource
    path : str
        Named in errors.
    """

    is_mapped: Final = False
    descriptor: Final = None

    def __init__(self, source: RangedSource, path: str) -> None:
        self._source, self._path = source, path
        self.size_bytes = source.size_bytes
        self._held: list[tuple[Span, memoryview]] = []

    def hold(self, spans: Sequence[Span]) -> None:
        """Fetch spans and keep them, so that `read` has them at hand until `release`."""
        self._held += zip(spans, self.read(spans), strict=True)

    def release(self, span: Span | None = None) -> None:  # noqa: ARG002
        """Keep nothing any longer."""
        self._held = []

    def read(self, spans: Sequence[Span]) -> list[memoryview]:
        """The bytes of each span; shorter where the file ends before.

        Raises
        ------
        CorruptionError
            The source has fewer bytes than its size promises.
        """
        inside = [(min(start, self.size_bytes), min(stop, self.size_bytes)) for start, stop in spans]
        wanted = [span for span in inside if span[0] < span[1] and self._find(span, self._held) is None]
        joined = coalesce(wanted)
        fetched = [*self._held, *zip(joined, self._fetch(joined), strict=True)]
        return [self._find(span, fetched) or memoryview(b"") for span in inside]

    def _fetch(self, spans: list[Span]) -> list[memoryview]:
        if not spans:
            return []
        views = [byte_view(data) for data in self._source.read_ranges([(start, stop - start) for start, stop in spans])]
        for (start, stop), view in zip(spans, views, strict=True):
            if len(view) != stop - start:
                message = f"the source ends early; expected_bytes={stop - start} actual_bytes={len(view)}"
                raise CorruptionError(message, path=self._path, offset=start + min(len(view), stop - start))
        return views

    @staticmethod
    def _find(span: Span, held: list[tuple[Span, memoryview]]) -> memoryview | None:
        for (start, stop), view in held:
            if start <= span[0] and span[1] <= stop:
                return view[span[0] - start : span[1] - start]
        return None


def open_file(source: Buffer | RangedSource, path: str) -> MappedFile | FetchedFile:
    """The bytes of `source`, be it a buffer of all of them or a store that is asked for ranges."""
    return FetchedFile(source, path) if isinstance(source, RangedSource) else MappedFile(source)


def coalesce(spans: Sequence[Span]) -> list[Span]:
    """Ascending spans that hold all of `spans`; those with less than `COALESCE_GAP_BYTES` between them become one."""
    joined: list[Span] = []
    for start, stop in sorted(spans):
        if joined and start - joined[-1][1] < COALESCE_GAP_BYTES:
            joined[-1] = (joined[-1][0], max(stop, joined[-1][1]))
        else:
            joined.append((start, stop))
    return joined
