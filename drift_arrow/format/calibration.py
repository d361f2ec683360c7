"""How far a search must probe for a wanted recall, as a manifest records it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from drift_arrow.format.canonical_json import Fields

_KEYS: Final = ("n_rows", "n_buckets", "spread", "effective_dim", "recalls", "curves")
_CURVE_KEYS: Final = ("k", "shares", "scanned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What was measured for one number of neighbours.

    Parameters
    ----------
    k : int
        Neighbours per query, at least 1.
    shares : tuple of float
        For each recall of the calibration the expected share of neighbours at which a search may stop, 0 to 1,
        ascending.
    scanned : tuple of float
        Mean share of all rows that it has scanned by then, 0 to 1, ascending.
    """

    k: int
    shares: tuple[float, ...]
    scanned: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The model of `kernels.probing`, fitted to sampled exact searches of one state of a collection.

    Parameters
    ----------
    n_rows, n_buckets : int
        Of the segments at that time.
    spread : float
        Mean squared distance of rows from the centroid of their bucket, not negative.
    effective_dim : float
        Above 0.
    recalls : tuple of float
        For which the curves have a value each, above 0 and below 1, strictly ascending.
    curves : tuple of Curve
        By ascending k; at least one.
    """

    n_rows: int
    n_buckets: int
    spread: float
    effective_dim: float
    recalls: tuple[float, ...]
    curves: tuple[Curve, ...]

    def to_dict(self) -> dict[str, Any]:
        """The object of a manifest."""
        curves = [{key: getattr(curve, key) for key in _CURVE_KEYS} for curve in self.curves]
        return {key: getattr(self, key) for key in _KEYS} | {"curves": curves}


def calibration_from(fields: Fields) -> Calibration:
    """Read the object of a manifest; raises CorruptionError where it says what no writer says."""
    fields.only(*_KEYS)
    recalls = _ascending(fields, "recalls")
    curves = tuple(_curve_from(entry, len(recalls)) for entry in fields.objects("curves"))
    spread, effective_dim = (_number(fields, key, fields.get(key)) for key in ("spread", "effective_dim"))
    is_strict = all(first < second for first, second in pairwise((0.0, *recalls, 1.0)))
    is_ordered = bool(curves) and all(first.k < second.k for first, second in pairwise(curves))
    if not (is_strict and is_ordered and effective_dim > 0):
        raise fields.error("is no calibration that a writer makes")
    return Calibration(
        n_rows=fields.integer("n_rows", 1),
        n_buckets=fields.integer("n_buckets", 1),
        spread=spread,
        effective_dim=effective_dim,
        recalls=recalls,
        curves=curves,
    )


def _curve_from(fields: Fields, length: int) -> Curve:
    fields.only(*_CURVE_KEYS)
    shares, scanned = (_ascending(fields, key) for key in ("shares", "scanned"))
    if not len(shares) == len(scanned) == length:
        raise fields.error(f"needs a value per recall; recalls={length}")
    return Curve(k=fields.integer("k", 1), shares=shares, scanned=scanned)


def _ascending(fields: Fields, key: str) -> tuple[float, ...]:
    values = fields.get(key)
    if not isinstance(values, list):
        raise fields.error(f"needs an array; key={key!r}")
    numbers = tuple(_number(fields, key, value) for value in values)
    if any(first > second for first, second in pairwise((*numbers, 1.0))):
        raise fields.error(f"needs ascending numbers up to 1; key={key!r}")
    return numbers


def _number(fields: Fields, key: str, value: object) -> float:
    # a float that is whole is written as 1.0, so an integer here was written by somebody else
    if type(value) is not float or not 0 <= value < math.inf:
        raise fields.error(f"needs a number from 0; key={key!r}")
    return value
