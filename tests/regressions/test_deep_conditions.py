"""A condition may be nested deeper than Python recurses: Polars evaluates it, and nobody walks through its tree."""

from __future__ import annotations

import polars as pl
import pytest

from tests.tables import create, make_table


@pytest.fixture
def docs(db):
    docs = create(db)
    docs.add(make_table(50))
    docs.flush()
    docs.add(make_table(10, start=50))
    return docs


def found(docs, where) -> list[int]:
    hits = docs.search([0.0] * 8).where(where).limit(60).to_polars()
    return sorted(hits["id"])


def test_a_chain_of_400_conditions_is_evaluated(docs):
    assert found(docs, " OR ".join(["id = 7"] * 400)) == [7]


def test_a_negation_400_times_is_evaluated(docs):
    where = pl.col("id") == 7
    for _ in range(400):
        where = ~where
    assert found(docs, where) == [7]


def test_brackets_in_strings_change_no_answer(docs):
    assert found(docs, (pl.col("lang") != "[" * 5000) & (pl.col("id") == 7)) == [7]
