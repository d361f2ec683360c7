"""What a segment holds, before it becomes bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_spec import SegmentSpec


class Content(Protocol):
    """What a segment can be written of."""

    @property
    def spec(self) -> SegmentSpec:
        """Of the segment."""
        ...

    def check(self) -> None:
        """Raise InvalidArgumentError if it is plain by now that something does not fit."""
        ...

    def extents(self) -> Iterator[SegmentExtent]:
        """All rows, in extents of the size that a writer takes; the same ones every time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentContent:
    """All of one segment, in memory.

    Parameters
    ----------
    spec : SegmentSpec
    rows : SegmentExtent
        All rows, sorted by bucket; the codes of one bucket take at most 16 MiB.
    """

    spec: SegmentSpec
    rows: SegmentExtent

    def check(self) -> None:
        """Raise InvalidArgumentError unless shapes, types and schema fit together."""
        self.spec.check()
        self.rows.check(self.spec)

    def extents(self) -> Iterator[SegmentExtent]:
        """See `Content.extents`."""
        return self.rows.cut()
