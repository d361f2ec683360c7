"""What is known about a segment before its first row."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.layout import NO_COLUMN
from drift_arrow.format.plain import check_storable

_VECTOR_TYPES = (pa.float16(), pa.float32(), pa.float64())
_PROFILES = ("hot", "cold")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpec:
    """Identity and columns of a segment.

    Parameters
    ----------
    schema : pa.Schema
        Of the collection, the vector column included.
    vector, key : str
        Names of the vector and the key column.
    metric : str
        ``l2``, ``cosine`` or ``dot``.
    seqno_range : (int, int)
        Smallest and largest seqno of the rows.
    profile : str
        ``hot`` for what decodes fast, ``cold`` for what takes the fewest bytes.
    uuid : str
        Identity of the file, in the 36-character form; a new one by default.
    """

    schema: pa.Schema
    vector: str
    key: str
    metric: str
    seqno_range: tuple[int, int]
    profile: str = "hot"
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def payload(self) -> pa.Schema:
        """All columns but the vector."""
        return self.schema.remove(self.schema.get_field_index(self.vector))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.schema.field(self.vector).type.list_size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers of a vector."""
        dtype: np.dtype[Any] = np.dtype(self.schema.field(self.vector).type.value_type.to_pandas_dtype())
        return dtype

    def check(self) -> None:
        """Raise InvalidArgumentError unless a segment can have these columns."""
        problem = self._problem()
        if problem:
            raise InvalidArgumentError(f"segment content does not fit together; {problem}")
        for column in self.payload:
            check_storable(column)

    def _problem(self) -> str | None:
        if self.vector not in self.schema.names or self.key not in self.schema.names or len(self.schema) > NO_COLUMN:
            return f"vector={self.vector!r} key={self.key!r} columns={self.schema.names[:100]}"
        kind = self.schema.field(self.vector).type
        if not isinstance(kind, pa.FixedSizeListType) or kind.value_type not in _VECTOR_TYPES or not kind.list_size:
            return f"vector column type={kind}"
        return None if self.profile in _PROFILES else f"profile={self.profile!r} expected={_PROFILES}"
