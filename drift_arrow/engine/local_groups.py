"""Groups of the rows of one segment or memtable, before they are numbered over all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LocalGroups:
    """Distinct values of a column, null among them, and the place among them of each row, (n,) int32."""

    codes: NDArray[np.int32]
    values: pa.Array
