"""Carries out plans for one open collection, and remembers what did not help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from drift_arrow.engine.build import Targets, build_segment
from drift_arrow.engine.calibrate import refreshed
from drift_arrow.engine.heal.plan import NO_GAIN, PLANNED, Treatment, carry_out, key_of, rank, undone, whole_change
from drift_arrow.engine.heal.relocation import Move
from drift_arrow.engine.heal.source import Source
from drift_arrow.engine.heal.survey import make_survey
from drift_arrow.errors import InvalidArgumentError

if TYPE_CHECKING:
    from drift_arrow.engine.core import Core
    from drift_arrow.engine.heal.change import Change
    from drift_arrow.engine.heal.plan import Key
    from drift_arrow.engine.heal.survey import Survey
    from drift_arrow.engine.segment_set import SegmentSet
    from drift_arrow.engine.snapshot import SegmentView, Snapshot
    from drift_arrow.format.calibration import Calibration

_REFUSED_MOST: Final = 10_000
_RECALIBRATED_SHARE: Final = 0.2
"""Of the rows: once so many moved, where searches stop is fitted again."""

_FLOAT32_BYTES: Final = 4
_STEP_BYTES: Final = 64 << 20
"""Of float32 vectors that may move at once, which takes about three times as much memory."""

_SCHEMA: Final = {
    "action": pl.String,
    "reason": pl.String,
    "buckets": pl.Int64,
    "rows": pl.Int64,
    "expected_gain_us": pl.Float64,
    "verified_gain_us": pl.Float64,
    "outcome": pl.String,
}


class Healer:
    """Heals one collection, a bounded step at a time.

    Parameters
    ----------
    core : Core
        The open collection.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._refused: set[Key] = set()
        self._moved_rows = 0
        self._calibration: Calibration | None = None
        self._fitting: Calibration | None = None

    def preview(self, budget_rows: int | None = None) -> list[Treatment]:
        """What `step` would try, in its order, up to so many moved rows; reads codes only, changes nothing."""
        survey = make_survey(self._core.snapshot, self._core.options.seed)
        if survey is None:
            return []
        left = self._most_rows(budget_rows)
        planned = []
        for proposal in rank(survey, self._refused):
            if proposal.rows <= left or proposal.is_due:
                left = max(0, left - proposal.rows)
                planned.append(Treatment(proposal=proposal, outcome=PLANNED))
        return planned

    def step(self, budget_rows: int | None = None) -> list[Treatment]:
        """Make a plan, carry it out in one commit, and say what became of each part.

        Parameters
        ----------
        budget_rows : int or None
            Most rows that move; never more than `Options.merge_bytes` or 64 MiB hold, which bounds memory.

        Raises
        ------
        CommitConflictError, PoisonedError, StorageError
            Nothing moved.
        """
        treatments: list[Treatment] = []

        def choose(base: Snapshot) -> Move | None:
            if base.manifest.calibration is not self._calibration:
                self._calibration, self._moved_rows = base.manifest.calibration, 0
            self._fitting = self._core.maintenance.fitting(base.manifest)
            # a segment without live rows is gone after any commit
            nothing = Move(sources=(), built=None) if any(not view.n_live for view in base.segments) else None
            survey = make_survey(base, self._core.options.seed)
            if survey is None:
                return nothing
            treatments.extend(self._treated(survey, self._most_rows(budget_rows)))
            change = whole_change(survey, treatments)
            if change is None:
                treatments[:] = [undone(treatment) for treatment in treatments]
                return nothing
            return self._built(survey, change)

        self._core.maintenance.move(choose, self._calibrated)
        return treatments

    def _most_rows(self, budget_rows: int | None) -> int:
        bytes_most = max(_STEP_BYTES, self._core.options.merge_bytes)
        most = max(1, bytes_most // (_FLOAT32_BYTES * self._core.spec.dim))
        return most if budget_rows is None else min(most, budget_rows)

    def _treated(self, survey: Survey, budget_rows: int) -> list[Treatment]:
        ranked = rank(survey, self._refused)
        treatments = carry_out(survey, ranked, budget_rows, self._core.options.seed)
        if len(self._refused) > _REFUSED_MOST:
            self._refused.clear()
        self._refused |= {
            key_of(survey, treatment.proposal) for treatment in treatments if treatment.outcome == NO_GAIN
        }
        return treatments

    def _built(self, survey: Survey, change: Change) -> Move:
        self._moved_rows += len(change)
        segment = survey.statistics.segment[change.bucket]
        order = np.lexsort((change.row, segment))
        numbers, firsts = np.unique(segment[order], return_index=True)
        views = [survey.snapshot.segments[number] for number in numbers.tolist()]
        parts = np.split(change.row[order], firsts[1:])
        sources = tuple(Source(view=view, rows=rows) for view, rows in zip(views, parts, strict=True))
        targets = Targets(centroids=change.centroids, owner=change.owner[order].astype(np.uint32))
        ranges = [view.entry.seqno_range for view in views]
        seqno_range = (min(first for first, _ in ranges), max(last for _, last in ranges))
        built = build_segment(sources, targets, self._core.spec, self._core.options, seqno_range)
        return Move(sources=sources, built=built)

    def _calibrated(self, kept: list[SegmentView], segments: SegmentSet) -> Calibration | None:
        is_stale = self._moved_rows > _RECALIBRATED_SHARE * sum(view.n_live for view in kept)
        known = None if is_stale else self._fitting
        return refreshed(known, kept, segments, self._core.spec.metric, self._core.options.seed)


def heal(core: Core, budget_rows: int | None = None, *, dry_run: bool = False) -> pl.DataFrame:
    """Steps until nothing is left to do or the budget is spent; see `Collection.heal`."""
    if budget_rows is not None and (isinstance(budget_rows, bool) or budget_rows < 1):
        message = f"budget_rows must be an int from 1; got={budget_rows!r}"
        raise InvalidArgumentError(message)
    healer = Healer(core)
    if dry_run:
        return report(healer.preview(budget_rows))
    treatments: list[Treatment] = []
    left = budget_rows
    while left is None or left > 0:
        found = healer.step(left)
        treatments += found
        moved = sum(len(treatment.change) for treatment in found if treatment.change is not None)
        if not moved:
            break
        left = None if left is None else left - moved
    return report(treatments)


def report(treatments: list[Treatment]) -> pl.DataFrame:
    """A row per part of a plan: what, why, how much, and what came of it."""
    rows = [
        {
            "action": treatment.proposal.action,
            "reason": treatment.proposal.reason,
            "buckets": len(treatment.proposal.buckets),
            "rows": treatment.proposal.rows if treatment.change is None else len(treatment.change),
            "expected_gain_us": treatment.proposal.gain,
            "verified_gain_us": treatment.gain,
            "outcome": treatment.outcome,
        }
        for treatment in treatments
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)
