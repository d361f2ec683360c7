"""How all encodings but streams begin: which rows are null."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from drift_arrow.format.codecs.part import Cursor, Part, Source
from drift_arrow.format.codecs.validity import Validity, read_validity


class Head(NamedTuple):
    """What is known of a part before its values."""

    part: Part
    kind: pa.DataType
    source: Source
    validity: Validity

    def check_size(self, values_bytes: int) -> None:
        """Raise CorruptionError unless the part declares the size of its values and validity."""
        raw_len = raw_size(self.part.n_values, values_bytes, self.validity)
        if self.part.raw_len != raw_len:
            raise self.source.damage(f"has another size than it declares; got={raw_len} raw_len={self.part.raw_len}")


def raw_size(n_values: int, values_bytes: int, validity: Validity) -> int:
    """What a part must declare: rows of no bytes count one each, so that their number has a limit too."""
    return max(n_values, values_bytes) + validity.raw_len


def read_head(part: Part, kind: pa.DataType, source: Source) -> tuple[Head, Cursor]:
    """The head of a part, and a cursor that stands behind it; raises CorruptionError."""
    cursor = Cursor(part.stored, source)
    return Head(part, kind, source, read_validity(cursor, part.n_values, source)), cursor
