"""What might be done about some buckets, before anything is read for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PURGE: Final = "purge"
SPLIT: Final = "split"
MERGE: Final = "merge"
RECENTRE: Final = "recentre"
COMPACT: Final = "compact"
REWRITE: Final = "rewrite"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """An action on some buckets.

    Parameters
    ----------
    action : str
        One of the constants of this module.
    reason : str
        For people.
    buckets : (m,) int64
        Numbers in the table of all segments; no other action of the same plan touches them.
    rows : int
        That move, as far as is known.
    gain : float
        Expected to be saved, in microseconds per query.
    """

    action: str
    reason: str
    buckets: NDArray[np.int64]
    rows: int
    gain: float

    @property
    def is_due(self) -> bool:
        """Whether it is done even if it saves no time, since it bounds disk and memory."""
        return self.action == REWRITE

    @property
    def may_be_partial(self) -> bool:
        """Whether the first of its buckets may be done without the others."""
        return self.action in {PURGE, REWRITE}
