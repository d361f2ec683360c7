"""Measures all columns and reports."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from codec_bench.bars import Results, bars
from codec_bench.column import Column, Group
from codec_bench.inputs import load
from codec_bench.measure import Result, measure
from codec_bench.ours import ours
from codec_bench.peers import peers, versions
from codec_bench.published import SAMPLES, WHOLE_COLUMNS, counted_as_published
from harness.duel import Clock
from harness.report import Bar, aligned, bar_table


def run(
    data: Path,
    *,
    seconds: float,
    groups: Sequence[str] = (),
    most_values: int | None = None,
    clock: Clock = time.perf_counter,
    json_file: Path | None = None,
    plot_file: Path | None = None,
) -> bool:
    """Measure, and print tables and bars.

    Parameters
    ----------
    data : Path
        Folder with real data.
    seconds : float
        Of decoding, and as many of encoding, per column.
    groups : sequence of str
        Names of the groups to measure, in lower case; none means all. Bars need all.
    most_values : int, optional
        Of each column, to try things out.
    clock : callable
        Returns seconds.
    json_file, plot_file : Path, optional
        Where the results go as JSON and as a picture.

    Returns
    -------
    bool
        Whether no bar was missed.
    """
    columns, missing = load(data)
    wanted = [
        replace(column, values=column.values[:most_values])
        for column in columns
        if not groups or column.group.name.lower() in groups
    ]
    print(f"versions: {versions()}")
    print("data: " + ("; ".join(missing) or f"all real columns found in {data.name}"))
    results = _measure_all(wanted, seconds, clock)
    for group in dict.fromkeys(column.group for column in wanted):
        print_group(group, [result for result in results if result.group == group])
    counted = {
        column.name: counted_as_published(column.values)
        for column in wanted
        if column.group is Group.SAMPLE and column.name in SAMPLES
    }
    print_published(counted)
    found = bars(Results(results), counted)
    print(f"\n== bars\n{bar_table(found)}")
    if json_file:
        json_file.write_text(json.dumps(_document(results, counted, found), indent=1))
    if plot_file:
        from codec_bench.plot import plot

        plot(results, plot_file)
    return all(bar.verdict != "MISS" for bar in found)


def _measure_all(columns: Sequence[Column], seconds: float, clock: Clock) -> list[Result]:
    codecs = [*ours(), *peers()]
    results = []
    for number, column in enumerate(columns, start=1):
        if sys.stderr.isatty():
            print(f"\r{number}/{len(columns)} {column.group}: {column.name:<40}", end="", file=sys.stderr, flush=True)
        results += measure(column, codecs, seconds, clock)
    return results


def print_group(group: Group, results: Sequence[Result]) -> None:
    """Bits, speeds and choices of one group."""
    codecs = list(dict.fromkeys(result.codec for result in results))
    for quantity, unit in (("bits", "per value"), ("decode", "GB/s"), ("encode", "GB/s")):
        rows = []
        for name in dict.fromkeys(result.column for result in results):
            cells = {result.codec: getattr(result, quantity) for result in results if result.column == name}
            rows.append((name, *(_cell(cells.get(codec, math.nan)) for codec in codecs)))
        print(f"\n== {group}: {quantity}, {unit}\n{aligned((quantity, *codecs), rows)}")
    choices = [(result.column, result.codec, result.detail) for result in results if result.detail]
    print(f"\n== {group}: choices")
    for column, codec, detail in choices:
        print(f"{column:<28}  {codec:<12}  {detail}")


def _cell(number: float) -> str:
    return "" if math.isnan(number) else f"{number:.2f}"


def print_published(counted: dict[str, float]) -> None:
    """The thirty columns beside what the publication says."""
    if not counted:
        return
    rows = [
        (name, f"{bits:.2f}", f"{SAMPLES[name]:.2f}", f"{WHOLE_COLUMNS[name]:.2f}") for name, bits in counted.items()
    ]
    head = ("bits as published counts them", "drift, 1024 values", "plain ALP, the same", "published, whole column")
    print(f"\n== the thirty columns of the publication\n{aligned(head, rows)}")


def _document(results: Sequence[Result], counted: dict[str, float], found: Sequence[Bar]) -> dict[str, object]:
    return {
        "versions": versions(),
        "results": [asdict(result) for result in results],
        "counted_as_published": counted,
        "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in found],
    }
