"""Thresholds so low that memtables of few rows are searched in every way that large ones are."""

from __future__ import annotations

import pytest

from drift_arrow.engine import graph_builder, memtable_codes, memtable_search


def lower_thresholds(monkeypatch: pytest.MonkeyPatch, *, block_rows: int, ef: int) -> None:
    """Codes from the first block of `block_rows` on, and a graph, built beside any writer, from `ef` rows on."""
    for module in (memtable_codes, memtable_search):
        monkeypatch.setattr(module, "BLOCK_ROWS", block_rows)
    monkeypatch.setattr(memtable_search, "_CODES_OVERHEAD_BYTES", 0)
    monkeypatch.setattr(memtable_search, "_ROWS_PER_BLOCK", 0)
    monkeypatch.setattr(memtable_search, "_ROWS_PER_EF", 1)
    monkeypatch.setattr(memtable_search, "_DEAD_SHARE_MAX", 1.0)
    monkeypatch.setattr(memtable_search, "_EF_USUAL", ef)
    monkeypatch.setattr(memtable_search, "_EF_THOROUGH", ef)
    monkeypatch.setattr(graph_builder, "_WINDOW_S", 0.0)
    monkeypatch.setattr(graph_builder, "_CALM_ROWS_PER_S", 1e18)
