"""Rows of one view that satisfy a condition, reading no more than it takes to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from drift_arrow.engine.keys import fingerprint_keys
from drift_arrow.engine.runs import Runs
from drift_arrow.engine.snapshot import SegmentView
from drift_arrow.kernels import bitmap

if TYPE_CHECKING:
    from drift_arrow.engine.predicate import Predicate
    from drift_arrow.engine.snapshot import View
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.kernels.bitmap import Bits

KEPT: Final = "kept"
_TAKE_SHARE: Final = 8
"""A segment is read as a whole where more of its rows than one in so many may have a wanted key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filtered:
    """What a condition lets pass of one view, and what it took to know.

    Parameters
    ----------
    bits : packed bits or None
        Dead rows included; None for all.
    how : {"none", "kept", "keys", "zones", "all"}
        No condition, a mask that was kept, a look-up of keys, runs of blocks, or all rows (of a memtable).
    n_runs, n_pruned, n_certain : int
        Runs of blocks, and how many of them were not read because no row, or every row, satisfies the condition.
    """

    bits: Bits | None
    how: str
    n_runs: int = 0
    n_pruned: int = 0
    n_certain: int = 0


def filter_view(view: View, predicate: Predicate | None, spec: CollectionSpec) -> Filtered:
    """Evaluate a condition on all rows of a view.

    Raises
    ------
    InvalidArgumentError
        It cannot be evaluated on some row that was looked at. Rows that it is known not to hold for are not.
    """
    if predicate is None or not view.n_rows:
        return Filtered(bits=None, how="none")
    if not isinstance(view, SegmentView):
        return Filtered(bits=bitmap.from_mask(predicate.mask(view.columns(predicate.columns))), how="all")
    kept = view.masks.get(predicate.identity)
    if kept is not None:
        return Filtered(bits=kept, how=KEPT)
    found = _by_keys(view, predicate, spec) or _by_runs(view, predicate)
    assert found.bits is not None
    view.masks.put(predicate.identity, found.bits)
    return found


def _by_keys(view: SegmentView, predicate: Predicate, spec: CollectionSpec) -> Filtered | None:
    """Only the rows that have a wanted key, found by the Bloom filter and the sorted fingerprints."""
    if predicate.keys is None:
        return None
    rows = view.find(fingerprint_keys(predicate.keys, spec))
    rows = np.sort(rows[rows >= 0])
    if len(rows) * _TAKE_SHARE > view.n_rows:
        return None
    mask = np.zeros(view.n_rows, dtype=np.bool_)
    if len(rows):
        mask[rows] = predicate.mask(view.take(rows, predicate.columns))
    return Filtered(bits=bitmap.from_mask(mask), how="keys")


def _by_runs(view: SegmentView, predicate: Predicate) -> Filtered:
    """Run by run, but for those whose bounds tell the outcome."""
    runs = Runs.of(view.reader, predicate.columns)
    verdicts = predicate.judge(runs)
    mask = np.zeros(view.n_rows, dtype=np.bool_)
    for run, (start, stop) in enumerate(zip(runs.bounds[:-1].tolist(), runs.bounds[1:].tolist(), strict=True)):
        if not verdicts.possible[run]:
            continue
        is_certain = bool(verdicts.certain[run])
        mask[start:stop] = is_certain or predicate.mask(view.reader.read_rows(start, stop, predicate.columns))
    return Filtered(
        bits=bitmap.from_mask(mask),
        how="zones",
        n_runs=len(runs),
        n_pruned=int((~verdicts.possible).sum()),
        n_certain=int((verdicts.possible & verdicts.certain).sum()),
    )
