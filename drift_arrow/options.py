"""Frozen settings and limits: the only place where a default value is written."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from drift_arrow.errors import InvalidArgumentError

DEFAULT_K: Final = 10
"""Rows that a search returns when no limit is given."""

DEFAULT_TARGET_RECALL: Final = 0.95
"""Share of the true nearest that a search finds on average when nothing else is asked."""

MAX_DIM: Final = 65_536
"""Largest number of dimensions of a vector."""

MAX_K: Final = 10_000
"""Largest number of rows that one query may ask for."""

MAX_BATCH_BYTES: Final = 1 << 30
"""Largest Arrow size of one `add` or `upsert`, which is one atomic batch."""

MAX_FILTER_CHARS: Final = 16_384
"""Longest SQL text of a `where`."""

FROZEN_MEMTABLES_MAX: Final = 2
"""Frozen memtables that may wait for a flush before `add` waits too (bounds memory)."""

JANITOR_RETRY_S: Final = 1.0
"""Seconds until the Janitor tries again what failed."""


MAX_CLIP_PERCENT: Final = 50
"""Would leave no value in a range."""

PROFILES: Final = ("hot", "cold")
"""How segments are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one collection, fixed when it is created and stored in its manifest.

    Parameters
    ----------
    memtable_bytes : int
        Size of the vectors (as float32) in a memtable at which it is frozen and flushed.
    graph_rows : int
        Rows of a memtable from which an HNSW graph over them is built in the background, once few rows are added per
        second; not for dot. Of more than 256 dimensions, so many fewer: by default from 8 MiB of SQ8 codes, which take
        about a millisecond to scan at the 9 GB/s that one core reads from memory.
    refine : int
        Candidates rescored exactly per returned row.
    retained_versions : int
        Newest manifests that are kept, with every file they name.
    retained_seconds : int
        Manifests that were the newest one at some time in so many past seconds are kept as well; 0 for none of them.
    merge_bytes : int
        Most float32 vector bytes of a segment that a flush still absorbs into the next one, to keep segments few.
    seed : int
        Seed of every random choice, so that the same input gives the same files.
    heal_rows_per_s : int
        Most rows that are moved per second, on average, to keep searches as fast as those of a fresh collection; 0 to
        heal only when `Collection.heal` is called. A row of 128 dimensions takes some 50 microseconds of one core.
    profile : str
        ``hot`` for segments that decode fast, ``cold`` for segments that take the fewest bytes.
    clip_percent : float
        For data with outliers: of the values of a dimension in a bucket, the percentage at either end that the range of
        the SQ8 codes need not hold; 0 for all of them. Below 50. What lies far outside is not clipped but coded apart,
        so that searches find what they would otherwise.
    """

    memtable_bytes: int = 64 << 20
    graph_rows: int = 32_768
    refine: int = 4
    retained_versions: int = 1
    retained_seconds: int = 0
    merge_bytes: int = 256 << 20
    seed: int = 0
    heal_rows_per_s: int = 5_000
    profile: str = "hot"
    clip_percent: float = 0.0

    def __post_init__(self) -> None:
        if self.profile not in PROFILES:
            raise InvalidArgumentError(f"option profile must be one of {PROFILES}; got={self.profile!r}")
        clip = self.clip_percent
        if type(clip) not in {int, float} or not 0 <= clip < MAX_CLIP_PERCENT:
            raise InvalidArgumentError(f"option clip_percent must be a number from 0 to below 50; got={clip!r}")
        for field in fields(self):
            if field.name in {"profile", "clip_percent"}:
                continue
            value = getattr(self, field.name)
            least = 0 if field.name in {"seed", "merge_bytes", "retained_seconds", "heal_rows_per_s"} else 1
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value < 2**53:
                message = f"option {field.name} must be an int from {least} up to 2**53; got={value!r}"
                raise InvalidArgumentError(message)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Options:
        """Settings from a manifest; a name it does not know is refused, never ignored."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise InvalidArgumentError(f"unknown options; got={unknown} known={sorted(known)}")
        return cls(**values)


def check_options(options: object) -> Options:
    """Settings as given, the default ones for None; InvalidArgumentError for anything else."""
    if options is None:
        return Options()
    if not isinstance(options, Options):
        raise InvalidArgumentError(f"options are drift_arrow.Options(...); got={options!r}")
    return options
