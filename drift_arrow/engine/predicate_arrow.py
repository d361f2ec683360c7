"""Conditions that are pyarrow expressions. Arrow does not show their parts, so Arrow itself is asked about them."""

from __future__ import annotations

import re
from functools import cached_property, reduce
from itertools import pairwise
from operator import and_
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pds
from pyarrow.fs import LocalFileSystem

from drift_arrow.engine.predicate_error import LIBRARY_ERRORS, evaluating
from drift_arrow.engine.runs import Verdicts
from drift_arrow.format.take import empty_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from drift_arrow.engine.runs import Runs
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.format.zone import Zone

_MOST_KEYS: Final = 256
_NAN: Final = re.compile(r"\bnan\b")
_BY_POSITION: Final = "FieldPath("


class ArrowPredicate:
    """A pyarrow expression.

    Parameters
    ----------
    expression : pyarrow.compute.Expression
    spec : CollectionSpec

    Raises
    ------
    InvalidArgumentError
        See `make_predicate`.
    """

    def __init__(self, expression: pc.Expression, spec: CollectionSpec) -> None:
        self._expression, self._spec = expression, spec
        # a position counts the vector, which is not read for names
        has_positions = _BY_POSITION in str(expression)
        self._schema = spec.schema if has_positions else spec.payload_schema
        self.columns = list(self._schema.names)
        empty = empty_table(self._schema)
        with evaluating():
            # without the numbers of rows, which `mask` puts behind the last position
            empty.filter(expression)
        if not has_positions:
            self.columns = self._needed(empty) or [spec.key]

    @property
    def identity(self) -> bytes | None:
        """None: it may call functions that a user registered, which may give another mask for the same rows."""
        return None

    def mask(self, table: pa.Table) -> NDArray[np.bool_]:
        """See `Predicate.mask`."""
        numbered = table.select(self.columns).append_column("", pa.array(np.arange(table.num_rows)))
        with evaluating():
            kept = numbered.filter(self._expression).column("").to_numpy()
        mask = np.zeros(table.num_rows, dtype=np.bool_)
        mask[kept] = True
        return mask

    def _needed(self, empty: pa.Table) -> list[str]:
        """Columns without which the expression cannot be evaluated."""
        needed = []
        for name in empty.column_names:
            try:
                empty.drop_columns([name]).append_column("", pa.array([], pa.int64())).filter(self._expression)
            except LIBRARY_ERRORS:
                needed.append(name)
        return needed

    def judge(self, runs: Runs) -> Verdicts:
        """See `Predicate.judge`; Arrow can tell that a run is impossible, not that it is certain."""
        verdicts = Verdicts.unknown(len(runs))
        if _NAN.search(str(self._expression)):
            # given bounds, Arrow takes NOT (x < NaN) for x >= NaN, which is its opposite
            return verdicts
        guarantees = []
        for run in range(len(runs)):
            rows = int(runs.bounds[run + 1] - runs.bounds[run])
            parts = [part for name in runs.zones for part in self._guarantees(name, runs.zones[name][run], rows)]
            guarantees.append(reduce(and_, parts) if parts else None)
        return Verdicts(self._are_possible(guarantees), verdicts.certain)

    @cached_property
    def keys(self) -> pa.Array | None:
        """See `Predicate`.

        Notes
        -----
        Candidates are the literals of the expression. It limits the keys to them if Arrow finds that it cannot hold
        before, between and behind them.
        """
        key, kind = pc.field(self._spec.key), self._spec.schema.field(self._spec.key).type
        if self._spec.key not in self.columns:
            return None
        members = _literals(self._expression, kind)
        if not 0 < len(members) <= _MOST_KEYS:
            return None
        between = [(key > low) & (key < high) for low, high in pairwise(members)]
        if self._are_possible([key < members[0], *between, key > members[-1]]).any():
            return None
        return pa.array(members, type=kind)

    def _are_possible(self, guarantees: list[pc.Expression | None]) -> NDArray[np.bool_]:
        """Whether Arrow sees that rows of which it knows a guarantee may satisfy the expression."""
        file_format, nowhere = pds.IpcFileFormat(), LocalFileSystem()
        # files that are never opened: leaving them out by what is known of them is all that is wanted
        fragments = [
            file_format.make_fragment(str(number), filesystem=nowhere, partition_expression=guarantee)
            for number, guarantee in enumerate(guarantees)
        ]
        dataset = pds.FileSystemDataset(fragments, self._schema, file_format, nowhere)
        possible = np.zeros(len(guarantees), dtype=np.bool_)
        try:
            kept = [int(fragment.path) for fragment in dataset.get_fragments(filter=self._expression)]
        except LIBRARY_ERRORS:
            return ~possible
        possible[kept] = True
        return possible

    def _guarantees(self, name: str, zone: Zone, n_rows: int) -> Iterator[pc.Expression]:
        """What the zone of a column tells about a run of rows."""
        field, kind = pc.field(name), self._spec.schema.field(name).type
        if zone.null_count == n_rows:
            yield field.is_null()
        # a comparison with NaN is false, and so is its opposite: no range has it
        if zone.has_nan or zone.null_count == n_rows:
            return
        for bound, is_low in ((zone.minimum, True), (zone.maximum, False)):
            if bound is not None and _is_comparable(bound.type, kind):
                end = bound.cast(kind)
                within = field >= end if is_low else field <= end
                # Arrow makes use of this form, one for each end
                yield within | field.is_null() if zone.null_count else within


def _is_comparable(bound: pa.DataType, kind: pa.DataType) -> bool:
    return bool(bound == kind or (pa.types.is_string(bound) and pa.types.is_large_string(kind)))


def _literals(expression: pc.Expression, kind: pa.DataType) -> list[Any]:
    """Literals of an expression that could be keys of type `kind`, sorted.

    Notes
    -----
    When Arrow writes an expression down, to pickle it, the literals are columns of one row, and those of `is_in` are in
    a struct.
    """
    try:
        _, (written,) = expression.__reduce__()
    except LIBRARY_ERRORS:
        # not every expression can be written, for instance none with a part of a struct
        return []
    found: set[Any] = set()
    for column in pa.ipc.open_file(written).read_all().columns:
        is_options = pa.types.is_struct(column.type)
        members = column[0].as_py().get("value_set") if is_options else [column[0].as_py()]
        found.update(member for member in members or [] if type(member) is (int if pa.types.is_integer(kind) else str))
    if pa.types.is_integer(kind):
        low, high = (0, 2**64) if pa.types.is_unsigned_integer(kind) else (-(2**63), 2**63)
        found = {member for member in found if low <= member < high}
    return sorted(found)
