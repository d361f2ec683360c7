"""What a search returns of its ranking beside the first k rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.grouping import check_groupable
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.options import MAX_K

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from drift_arrow.engine.spec import CollectionSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """Rows of a ranking that may be returned.

    Parameters
    ----------
    low, high : float
        Only rows with ``low <= distance < high``.
    group_by : str or None
        Of rows with the same value of this column, only the nearest `group_limit`.
    group_limit : int
        At least 1.
    """

    low: float = -math.inf
    high: float = math.inf
    group_by: str | None = None
    group_limit: int = 1

    @property
    def is_range(self) -> bool:
        """Whether distances are restricted."""
        return self.low > -math.inf or self.high < math.inf

    def within(self, distances: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Which exact distances are in the range."""
        # as float64: a float32 end may be on the other side of a distance
        inside: NDArray[np.bool_] = (distances >= np.float64(self.low)) & (distances < np.float64(self.high))
        return inside


NO_RESTRICTION: Final = Restriction()


def check_count(what: str, count: object, least: int) -> int:
    """An int from `least` to `MAX_K`, or InvalidArgumentError."""
    if type(count) is not int or not least <= count <= MAX_K:
        message = f"{what} is an int from {least} to {MAX_K}; got={count!r}"
        raise InvalidArgumentError(message)
    return count


def check_window(offset: int, k: int) -> None:
    """Raise InvalidArgumentError if more than `MAX_K` rows must be ranked."""
    if offset + k > MAX_K:
        message = f"offset and limit together are at most {MAX_K}; got offset={offset} limit={k}"
        raise InvalidArgumentError(message)


def check_range(low: object, high: object) -> tuple[float, float]:
    """Both ends of a range of distances, or InvalidArgumentError."""
    ends = []
    for end, unbounded in ((low, -math.inf), (high, math.inf)):
        if end is not None and (isinstance(end, bool) or not isinstance(end, int | float | np.floating | np.integer)):
            message = f"an end of a distance range is a number or None; got={end!r}"
            raise InvalidArgumentError(message)
        ends.append(unbounded if end is None else float(end))
    if not ends[0] < ends[1]:
        message = f"a distance range starts below its end; got=({low!r}, {high!r})"
        raise InvalidArgumentError(message)
    return ends[0], ends[1]


def check_grouping(column: object, limit: object, spec: CollectionSpec) -> tuple[str, int]:
    """Column and limit of a grouping, or InvalidArgumentError."""
    if not isinstance(column, str):
        message = f"group_by takes the name of a column; got={column!r}"
        raise InvalidArgumentError(message)
    check_groupable(column, spec)
    return column, check_count("the limit of a group", limit, 1)
