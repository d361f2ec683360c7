"""What was observed of the searches of a collection, and the file that keeps it beyond the process."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Final

from drift_arrow.engine.signs.heat import Heat
from drift_arrow.engine.signs.query_sample import QuerySample
from drift_arrow.engine.storage import create_file
from drift_arrow.errors import DriftError
from drift_arrow.format.layout import MAX_STATISTICS_BYTES
from drift_arrow.format.statistics_file import StatisticsFile, decode_statistics

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.storage import Storage
    from drift_arrow.format.statistics_file import Measurement

STATISTICS_DIRECTORY: Final = "statistics"
MOST_MEASUREMENTS: Final = 1000
"""Newest measurements of recall that are kept."""

RECALL_METADATA: Final = b"drift_recall"
"""Key of the metadata of a result."""

_NAME: Final = re.compile(r"^statistics/([0-9]{20})\.json$")
_NANOSECONDS: Final = 10**9


class Observations:
    """Heat, sampled queries, and measurements of recall; shared by all snapshots of a collection in a process.

    Parameters
    ----------
    kept : StatisticsFile, optional
        What an earlier process observed.
    clock : callable
        Wall clock in seconds.
    """

    def __init__(self, kept: StatisticsFile | None = None, clock: Callable[[], float] = time.time) -> None:
        self.queries = QuerySample()
        self.heat = Heat(clock=clock)
        self._clock = clock
        self._measurements: tuple[Measurement, ...] = ()
        if kept is not None:
            self.heat = Heat(kept.heat, kept.written_ns / _NANOSECONDS, clock)
            self._measurements = kept.measurements
        # made once, for all searches to come
        self._by_target = {one.target: _metadata(one) for one in self._measurements}
        self._kept = (0, self._measurements)

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Of recall, oldest first."""
        return self._measurements

    def recall_metadata(self, target: float) -> dict[bytes, bytes]:
        """What the metadata of a result says of its recall: JSON under `RECALL_METADATA`; nothing if nothing is known.

        That is the newest measurement at this target recall.
        """
        return self._by_target.get(target, {})

    def add_measurements(self, measurements: list[Measurement]) -> None:
        """Append to what was measured before; the oldest are dropped."""
        self._measurements = (*self._measurements, *measurements)[-MOST_MEASUREMENTS:]
        self._by_target = self._by_target | {one.target: _metadata(one) for one in measurements}

    def keep(self, storage: Storage, snapshot: Snapshot) -> None:
        """Write what is new to the next statistics file and delete those before it; nothing if nothing was observed.

        Parameters
        ----------
        storage : Storage
            Of the collection, whose lock the caller holds.
        snapshot : Snapshot
            The newest.

        Notes
        -----
        Advice: a storage that refuses it is no reason to fail what the caller was about, and the next call tries again.
        """
        state = (int(snapshot.segment_set.touches.sum()), self._measurements)
        if state == self._kept:
            return
        content = StatisticsFile(
            collection_uuid=str(snapshot.manifest.collection_uuid),
            written_ns=int(self._clock() * _NANOSECONDS),
            heat=self.heat.by_segment(snapshot.segment_set),
            measurements=self._measurements,
        )
        try:
            _replace_file(storage, content.encode())
        except DriftError:
            # also where the directory is gone, or the log failed: there are better places to say so
            return
        self._kept = state


def read_observations(storage: Storage, collection_uuid: UUID) -> Observations:
    """What the newest statistics file says; nothing at all if there is none, or it cannot be read or trusted."""
    try:
        paths = [path for _, path in _files(storage)]
        if not paths:
            return Observations()
        kept = decode_statistics(storage.read(paths[-1], MAX_STATISTICS_BYTES), paths[-1])
    except DriftError:
        # advice only: a search answers without it
        return Observations()
    return Observations(kept if kept.collection_uuid == str(collection_uuid) else None)


def _metadata(measurement: Measurement) -> dict[bytes, bytes]:
    names = ("recall", "low", "high", "target", "k", "version", "n_queries", "source")
    return {RECALL_METADATA: json.dumps({name: getattr(measurement, name) for name in names}).encode()}


def _files(storage: Storage) -> list[tuple[int, str]]:
    """Numbers and paths, oldest first."""
    matches = [_NAME.match(file.path) for file in storage.list_files(STATISTICS_DIRECTORY)]
    return sorted((int(match[1]), match[0]) for match in matches if match)


def _replace_file(storage: Storage, data: bytes) -> None:
    older = _files(storage)
    if not older:
        storage.make_directories([STATISTICS_DIRECTORY])
    number = older[-1][0] + 1 if older else 1
    create_file(storage, f"{STATISTICS_DIRECTORY}/{number:020d}.json", data)
    for _, path in older:
        storage.delete(path)
