"""Tables for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from harness.report import Bar, aligned, bar_table
from streaming_bench.ablation import OURS, is_ours
from streaming_bench.records import Record, Records
from streaming_bench.stream import Stream
from streaming_bench.summary import summarise

_STEP_HEAD: Final = (
    "step",
    "op",
    "size",
    "alive",
    "recall",
    "p50 ms",
    "p99 ms",
    "scanned",
    "seconds",
    "moved",
    "dead",
    "parts",
)
_HEAD: Final = (
    "contender",
    "recall",
    "mean",
    "least",
    "last",
    "wrong",
    "p50 ms",
    "p99 ms",
    "scanned",
    "last",
    "rows/s",
    "rows/cpu s",
    "moved",
    "dead",
    "files",
    "disk/row",
    "memory/row",
)


def progress(stream: Stream, number: int) -> None:
    """Where a run is, for someone who watches."""
    if sys.stderr.isatty():
        end = "\n" if number + 1 == len(stream.steps) else ""
        print(f"\r{stream.name}: step {number + 1} of {len(stream.steps)}", end=end, file=sys.stderr, flush=True)


def steps(records: Records, runbook: str, contender: str) -> None:
    """Every step of one run."""
    rows = [_step(one) for one in records.of(runbook, contender) if one["op"] != "end"]
    print(f"\n-- {runbook}: {contender}, step by step\n{aligned(_STEP_HEAD, rows)}", flush=True)


def _step(one: Record) -> tuple[str, ...]:
    def number(name: str, style: str) -> str:
        return format(one[name], style) if name in one else ""

    return (
        str(one["step"]),
        one["op"],
        f"{one['size']:,}",
        f"{one['n_live']:,}",
        number("recall", ".4f"),
        number("p50_ms", ".3f"),
        number("p99_ms", ".3f"),
        number("scanned", ",.0f"),
        number("seconds", ".2f"),
        number("moved", ",.0f"),
        number("dead", ",.0f"),
        number("parts", ",.0f"),
    )


def runbook(records: Records, name: str) -> None:
    """Each contender on one runbook: steps of ours, then a line for each."""
    contenders = records.contenders(name)
    for contender in contenders:
        if contender == OURS:
            steps(records, name, contender)
    rows = []
    for contender in contenders:
        one = summarise(records, name, contender)
        if one is None:
            continue
        rows.append(
            (
                contender,
                f"{one.first:.4f}",
                f"{one.mean:.4f}",
                f"{one.least:.4f}",
                f"{one.last:.4f}",
                str(one.wrong),
                f"{one.p50_ms:.3f}",
                f"{one.p99_ms:.3f}",
                f"{one.scanned_first:.2%}",
                f"{one.scanned_last:.2%}",
                f"{one.update_rate:,.0f}",
                f"{one.cpu_rate:,.0f}",
                f"{one.moved:.2f}",
                f"{one.dead:.1%}",
                f"{one.files:.0f}",
                f"{one.disk:,.0f}",
                f"{one.resident:,.0f}",
            )
        )
    print(f"\n== {name}: recall@10, time at the end, updates, most of each\n{aligned(_HEAD, rows)}", flush=True)
    _ends(records, name)


def _ends(records: Records, name: str) -> None:
    """Recall by target before and after, and ours beside a collection that is built new."""
    for contender in records.contenders(name):
        start, end = records.of(name, contender)[0], records.end(name, contender)
        if end is None or "fresh" not in end:
            continue
        for when, found in (("before", start["targets"]), ("after", end["targets"]), ("fresh", end["fresh"])):
            line = ", ".join(f"{one['target']:g}: {one['recall']:.4f} ({one['scanned']:,.0f} rows)" for one in found)
            print(f"{contender}, recall by target {when}: {line}")
        print(
            f"{contender} / newly built at recall {end['recall']:.4f}: p50 {end['p50_ms']:.3f} / "
            f"{end['fresh_p50_ms']:.3f} ms = {end['p50_ratio']:.2f}, scanned rows {end['scanned_ratio']:.2f}; "
            f"with as many rows in its memtable {end['alike_p50_ratio']:.2f} and {end['alike_scanned_ratio']:.2f}",
            flush=True,
        )


def ablation(records: Records) -> None:
    """Ours as it is, and with other options."""
    head = (
        "runbook",
        "variant",
        "mean",
        "least",
        "scanned",
        "/ new",
        "p50 ms",
        "/ new",
        "/ alike",
        "moved",
        "dead",
        "rows/cpu s",
    )
    rows = []
    for name in records.runbooks():
        for contender in filter(is_ours, records.contenders(name)):
            one, end = summarise(records, name, contender), records.end(name, contender)
            if one is None or end is None:
                continue
            scanned = (f"{one.scanned_last:.2%}", f"{end['scanned_ratio']:.2f}")
            slower = (f"{one.p50_ms:.3f}", f"{end['p50_ratio']:.2f}", f"{end['alike_p50_ratio']:.2f}")
            variant = contender.removeprefix(OURS).strip() or "as it is"
            recalls = (f"{one.mean:.4f}", f"{one.least:.4f}")
            rest = (f"{one.moved:.2f}", f"{one.dead:.1%}", f"{one.cpu_rate:,.0f}")
            rows.append((name, variant, *recalls, *scanned, *slower, *rest))
    print(f"\n== with and without\n{aligned(head, rows)}", flush=True)


def summary(found: Sequence[Bar]) -> None:
    """What must be reached."""
    print(f"\n== bars\n{bar_table(found)}", flush=True)
