"""Collections that are in need of healing, and what a fresh one of the same rows would cost."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa

import drift_arrow as drift
from drift_arrow.engine.core import Core
from drift_arrow.engine.heal.survey import Survey, make_survey
from tests.oracle import distances
from tests.tables import create, make_table, matrix_of

_names = itertools.count()
BY_HAND = drift.Options(heal_rows_per_s=0)
APART = drift.Options(heal_rows_per_s=0, merge_bytes=0)
BY_THE_JANITOR = drift.Options(heal_rows_per_s=100_000, merge_bytes=0)


def core_of(docs: drift.Collection) -> Core:
    assert isinstance(docs._owned, Core)
    return docs._owned


def survey_of(docs: drift.Collection) -> Survey:
    survey = make_survey(core_of(docs).snapshot, 0)
    assert survey is not None
    return survey


def scattered(
    db: drift.Database, n_segments: int, n_rows: int, *, metric: str = "l2", options: drift.Options = APART
) -> drift.Collection:
    """Segments that lie over one another, each of `n_rows` rows."""
    docs = create(db, f"scattered-{next(_names)}", metric=metric, options=options)
    for number in range(n_segments):
        docs.add(make_table(n_rows, start=number * n_rows))
        docs.flush()
    return docs


def fresh(db: drift.Database, docs: drift.Collection, metric: str = "l2") -> drift.Collection:
    """The same rows, clustered together."""
    new = create(db, f"fresh-{next(_names)}", metric=metric, options=BY_HAND)
    new.add(rows_of(docs))
    new.flush()
    return new


def rows_of(docs: drift.Collection) -> pa.Table:
    return pa.Table.from_batches(docs.to_batches(), schema=docs.schema).sort_by("id").combine_chunks()


def queries_near(table: pa.Table, n_queries: int) -> np.ndarray:
    rng = np.random.default_rng(5)
    matrix = matrix_of(table)
    return (matrix[rng.choice(len(matrix), n_queries)] + rng.normal(size=(n_queries, matrix.shape[1]))).astype(
        np.float32
    )


def scanned_and_recall(docs: drift.Collection, queries: np.ndarray, metric: str = "l2") -> tuple[float, float]:
    """Mean rows scanned per query, and mean recall@10."""
    table = rows_of(docs)
    keys, matrix = table["id"].to_numpy(), matrix_of(table)
    found = docs.search(queries).limit(10)
    ids = found.to_arrow()["id"].to_numpy().reshape(len(queries), 10)
    wanted = [set(keys[np.argsort(distances(matrix, query, metric))[:10]].tolist()) for query in queries]
    recall = float(np.mean([len(set(got) & want) / 10 for got, want in zip(ids.tolist(), wanted, strict=True)]))
    return float(found.analyze().frame["scanned_rows"].to_numpy().mean()), recall
