"""One run in a few numbers."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from streaming_bench.records import Records

_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a contender showed on a runbook; nan where it cannot be known.

    Parameters
    ----------
    first, mean, least, last : float
        Recall@10 of the searches.
    wrong : int
        Rows found dead or twice.
    p50_ms, p99_ms : float
        Of single queries: median and greatest over the last three searches.
    scanned_first, scanned_last : float
        Rows compared per query, of all rows alive.
    update_rate, cpu_rate : float
        Rows inserted and deleted per second after the first step, and per second of the processor.
    moved : float
        Rows written or built again per row inserted or deleted, after the first step.
    dead : float
        Greatest share of dead rows among stored ones after a step.
    files : float
        Most after a step.
    disk, resident : float
        Most bytes per row alive after a step.
    """

    first: float
    mean: float
    least: float
    last: float
    wrong: int
    p50_ms: float
    p99_ms: float
    scanned_first: float
    scanned_last: float
    update_rate: float
    cpu_rate: float
    moved: float
    dead: float
    files: float
    disk: float
    resident: float


def summarise(records: Records, runbook: str, contender: str) -> Summary | None:
    """Numbers of one run; None if it has not searched."""
    run = records.of(runbook, contender)
    searches = [one for one in run if one["op"] == "search"]
    if not searches:
        return None
    recalls = [one["recall"] for one in searches]
    updates = [one for one in run[1:] if one["op"] in {"insert", "delete"}]
    n_updated = sum(one["size"] for one in updates)
    steps = [one for one in run if one["op"] in {"insert", "delete", "search"}]
    moved = [one["moved"] for one in steps if "moved" in one]
    return Summary(
        first=recalls[0],
        mean=statistics.fmean(recalls),
        least=min(recalls),
        last=recalls[-1],
        wrong=sum(one["wrong"] for one in searches),
        p50_ms=statistics.median(one["p50_ms"] for one in searches[-3:]),
        p99_ms=max(one["p99_ms"] for one in searches[-3:]),
        scanned_first=searches[0].get("scanned", _NAN) / searches[0]["n_live"],
        scanned_last=searches[-1].get("scanned", _NAN) / searches[-1]["n_live"],
        update_rate=n_updated / max(sum(one["seconds"] for one in updates), 1e-9),
        cpu_rate=n_updated / max(sum(one["cpu"] for one in updates), 1e-9),
        moved=(moved[-1] - moved[0]) / max(n_updated, 1) if moved else _NAN,
        dead=max((one["dead"] / (one["dead"] + one["n_live"]) for one in steps if "dead" in one), default=_NAN),
        files=max((one["files"] for one in steps if "files" in one), default=_NAN),
        disk=max(one["disk"] / one["n_live"] for one in steps),
        resident=max(one["resident"] / one["n_live"] for one in steps),
    )
