"""What to do about a snapshot, best first, within a number of rows that may move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.heal.change import Change, joined
from drift_arrow.engine.heal.compact import keep_buckets, propose_compaction, propose_rewrites
from drift_arrow.engine.heal.merge import merge, propose_merges
from drift_arrow.engine.heal.proposal import COMPACT, Proposal
from drift_arrow.engine.heal.purge import propose_purges
from drift_arrow.engine.heal.recentre import propose_regions, recentre
from drift_arrow.engine.heal.split import propose_splits, split

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from numpy.typing import NDArray

    from drift_arrow.engine.heal.survey import Survey

_WORTH: Final = 0.1
"""Share of the cost of a query that moving all rows must save; moving fewer, so much less."""

_COMPACTION_WORTH: Final = 0.5
"""The same for fewer segments, which the next flush makes more again."""

_VERIFIED_WORTH: Final = 0.05
"""The same of what was verified."""

_STRAINED: Final = 1.3
"""Times the cost of a fresh table: above it, all that helps is done, region by region."""

_LEFT: Final = 0.75
"""Of the rows of a proposal: as long as other actions left so many of them, it is still worth trying."""

_TRANSIENT: Final = 0.25
"""Of the cost of a segment: what one that is soon compacted is charged with."""

DONE: Final = "done"
NO_GAIN: Final = "no gain"
OVER_BUDGET: Final = "over budget"
PLANNED: Final = "planned"

Key = tuple[str, frozenset[tuple[str, int]]]
"""An action and the buckets of segments that it is for; a region that changes has other keys."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Treatment:
    """A proposal and what became of it.

    Parameters
    ----------
    proposal : Proposal
    outcome : str
        ``planned``, ``done``, ``no gain`` or ``over budget``.
    gain : float or None
        Verified by the real sizes of the buckets, in microseconds per query; None if that was not tried.
    change : Change or None
        The rows that move; None unless it is done.
    """

    proposal: Proposal
    outcome: str
    gain: float | None = None
    change: Change | None = None


def rank(survey: Survey, refused: Collection[Key] = ()) -> list[Proposal]:
    """All that seems worth doing: fewer segments, then most saved per moved row, then what is due in any case.

    Parameters
    ----------
    survey : Survey
    refused : collection of Key
        What was tried and gained nothing.
    """
    proposals: list[Proposal] = [
        *propose_purges(survey, _WORTH),
        *propose_splits(survey),
        *propose_merges(survey),
        *propose_regions(survey),
    ]
    compaction = propose_compaction(survey)
    total, n_live = survey.query_cost, int(survey.live.sum())
    worth = 0.0 if strain(survey, proposals) > _STRAINED else _WORTH
    proposals.sort(key=lambda proposal: -proposal.gain / max(proposal.rows, 1))
    wanted = [
        proposal
        for least, several in ((_COMPACTION_WORTH, compaction), (worth, proposals))
        for proposal in several
        if proposal.gain * n_live >= least * total * proposal.rows and key_of(survey, proposal) not in refused
    ]
    return wanted + propose_rewrites(survey)


def strain(survey: Survey, proposals: Iterable[Proposal]) -> float:
    """Cost of a query in times of what it is expected to be once each bucket got the best that is proposed for it."""
    best = np.zeros(len(survey.live))
    for proposal in proposals:
        share = proposal.gain / len(proposal.buckets)
        best[proposal.buckets] = np.maximum(best[proposal.buckets], share)
    total = survey.query_cost
    return float(total / max(total - best.sum(), total / 100))


def carry_out(survey: Survey, proposals: Iterable[Proposal], budget_rows: int, seed: int) -> list[Treatment]:
    """Try proposals in their order and keep those that save time, or are due, up to `budget_rows` moved rows.

    Notes
    -----
    Each is verified by the queries and the sizes that its buckets really got, before anything is written. What is due
    gets the buckets that nothing better was done to, as many as the budget allows; the others follow the next time.
    """
    taken = np.zeros(len(survey.live), np.bool_)
    treatments = []
    for proposal in proposals:
        treatment = _treat(survey, proposal, budget_rows, taken, seed)
        if treatment is None:
            continue
        treatments.append(treatment)
        if treatment.change is not None:
            budget_rows -= len(treatment.change)
            taken[treatment.change.bucket] = True
    return treatments


def key_of(survey: Survey, proposal: Proposal) -> Key:
    """What a proposal is remembered by."""
    segment, bucket = (values[proposal.buckets] for values in (survey.statistics.segment, survey.statistics.bucket))
    uuids = [survey.snapshot.segments[number].reader.uuid for number in segment.tolist()]
    return proposal.action, frozenset(zip(uuids, bucket.tolist(), strict=True))


def whole_change(survey: Survey, treatments: Iterable[Treatment]) -> Change | None:
    """All rows that move; None if none does, or if what they save is less than what one more segment costs."""
    done = [treatment for treatment in treatments if treatment.change is not None]
    if not done:
        return None
    change = joined([treatment.change for treatment in done if treatment.change is not None])
    if any(treatment.proposal.is_due for treatment in done):
        return change
    # a small segment more is soon compacted
    more_segments = max(0, 1 - survey.drained_segments(change)) * _TRANSIENT
    return change if survey.gain(change) > more_segments * survey.model.per_segment or _compacts(done) else None


def _compacts(treatments: Iterable[Treatment]) -> bool:
    return any(treatment.proposal.action == COMPACT for treatment in treatments)


def undone(treatment: Treatment) -> Treatment:
    """The same, not done since all of its plan together was not worth a commit."""
    return treatment if treatment.change is None else replace(treatment, outcome=NO_GAIN, change=None)


def _treat(
    survey: Survey, proposal: Proposal, budget_rows: int, taken: NDArray[np.bool_], seed: int
) -> Treatment | None:
    free = proposal.buckets[~taken[proposal.buckets]]
    if proposal.may_be_partial:
        free = free[np.cumsum(survey.live[free]) <= budget_rows]
    elif survey.live[free].sum() < _LEFT * survey.live[proposal.buckets].sum():
        # other actions were better
        return None
    if not len(free) or survey.live[free].sum() > budget_rows:
        return Treatment(proposal=proposal, outcome=OVER_BUDGET)
    change = _change(survey, replace(proposal, buckets=free), taken, seed)
    if change is None:
        return Treatment(proposal=proposal, outcome=NO_GAIN, gain=0.0)
    if len(change) > budget_rows:
        return Treatment(proposal=proposal, outcome=OVER_BUDGET)
    gain = survey.gain(change)
    if proposal.action == COMPACT:
        better = recentre(survey, free, seed)
        better_gain = survey.gain(better)
        if better_gain > gain:
            change, gain = better, better_gain
        gain += (survey.drained_segments(change) - 1) * survey.model.per_segment
    # a step that is kept makes things better by a share, so steps come to an end
    if gain * survey.live.sum() < _VERIFIED_WORTH * survey.query_cost * len(change) and not proposal.is_due:
        return Treatment(proposal=proposal, outcome=NO_GAIN, gain=gain)
    return Treatment(proposal=proposal, outcome=DONE, gain=gain, change=change)


def _change(survey: Survey, proposal: Proposal, taken: NDArray[np.bool_], seed: int) -> Change | None:
    buckets = proposal.buckets
    match proposal.action:
        case "split":
            return split(survey, int(buckets[0]), seed, taken)
        case "merge":
            return merge(survey, buckets)
        case "recentre":
            return recentre(survey, buckets, seed)
        case _:
            return keep_buckets(survey, buckets)
