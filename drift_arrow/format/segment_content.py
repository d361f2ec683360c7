"""What a segment holds, before it becomes bytes."""

from __future__ import annotations

from dataclasses import dataclass

from drift_arrow.format.segment_extent import SegmentExtent
from drift_arrow.format.segment_spec import SegmentSpec


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SegmentContent:
    """All of one segment.

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
