"""The account of a search that ran, as a frame and as a tree to read."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import polars as pl

STAGES: Final = ("filter", "scan", "memtable", "rescore", "fetch")
"""What a search does, in order; the frame has the seconds of each."""

_FULL: Final = 0.999


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Analysis:
    """What a search read, and where its time went.

    Parameters
    ----------
    title : str
        The search.
    frame : polars.DataFrame
        A row per query:

        - `query_index`
        - `how`: "probed" if buckets were ranked, "exact" if allowed rows were read in full precision, "empty" if no row
          of a segment is allowed
        - `rows`, `allowed_rows`: of all segments and memtables; allowed are those alive that satisfy `where`
        - `filter_runs`, `pruned_runs`, `certain_runs`: runs of blocks of the filter's columns; of those pruned no row
          satisfies it, of those certain every row does, and neither was read
        - `buckets`, `probed_buckets`: ranked and scanned; null unless probed
        - `scanned_rows`, `code_bytes`: rows of the probed buckets, and their codes (a sparse filter jumps over some);
          if exact, the allowed rows of the segments, and null
        - `memtable_rows`: allowed rows that are not in a segment yet
        - `candidates`: rows that were ranked by their exact distance
        - `returned_rows`
        - `filter_s`, `scan_s`, `memtable_s`, `rescore_s`, `fetch_s`: seconds by stage, on all threads; those that the
          queries of a batch share are divided among them
    """

    title: str
    frame: pl.DataFrame

    def __str__(self) -> str:
        lines = self._lines()
        marks = ["├─"] * (len(lines) - 1) + ["└─"]
        return "\n".join([self._head(), *(f"{mark} {line}" for mark, line in zip(marks, lines, strict=True))])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"

    def _head(self) -> str:
        seconds = sum(self._mean(f"{stage}_s") for stage in STAGES)
        per_query = "" if len(self.frame) == 1 else f", mean of {len(self.frame)} queries"
        return f"{self.title}: {_time(seconds)}{per_query}"

    def _lines(self) -> list[str]:
        said = {
            "filter": self._filter(),
            "scan": self._scan(),
            "memtable": f"{self._count('memtable_rows')} rows",
            "rescore": f"{self._count('candidates')} candidates",
            "fetch": f"{self._count('returned_rows')} rows",
        }
        return [f"{stage:<9}{_time(self._mean(f'{stage}_s')):>10}  {said[stage]}" for stage in STAGES]

    def _filter(self) -> str:
        text = f"{self._count('allowed_rows')} of {self._count('rows')} rows allowed"
        if not self._mean("filter_runs"):
            return text
        n_read = self._mean("filter_runs") - self._mean("pruned_runs") - self._mean("certain_runs")
        return (
            f"{text}; {self._count('filter_runs')} runs of blocks: {self._count('pruned_runs')} pruned, "
            f"{self._count('certain_runs')} certain, {_number(n_read)} read"
        )

    def _scan(self) -> str:
        rows, probed = self._count("scanned_rows"), self._count("probed_buckets")
        if self.frame["buckets"].null_count():
            return f"{rows} rows in full precision"
        megabytes = self._mean("code_bytes") / 1e6
        return f"probed {probed} of {self._count('buckets')} buckets: {rows} rows, {megabytes:.3g} MB of codes"

    def _count(self, column: str) -> str:
        return _number(self._mean(column))

    def _mean(self, column: str) -> float:
        mean = self.frame[column].mean()
        return mean if isinstance(mean, float | int) else 0.0


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or value >= 100 else f"{value:.1f}"


def _time(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us" if seconds < 1e-3 * _FULL else f"{seconds * 1e3:.2f} ms"
