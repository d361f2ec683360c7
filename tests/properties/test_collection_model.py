"""A collection against a dict and brute force, through any order of calls."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import drift_arrow as drift
from drift_arrow.engine.collection import Collection
from drift_arrow.engine.collection_view import CollectionView
from drift_arrow.engine.core import Core
from drift_arrow.engine.reader import Reader
from drift_arrow.engine.storage import Storage
from drift_arrow.engine.storage.memory import MemoryStorage
from drift_arrow.errors import AlreadyExistsError, InvalidArgumentError
from tests.memtable_ways import lower_thresholds
from tests.moves import move_any
from tests.oracle import distances, tolerance

DIM = 6
CENTRES = np.random.default_rng(1).normal(size=(6, DIM)) * 3
LABELS = ("a", "b", None)
RECALL_FLOOR = 0.9
_names = itertools.count()

NUMBERS = range(300)

numbers = st.sampled_from(NUMBERS)


def some_numbers(seed: int) -> list[int]:
    """From 1 up to 90 of NUMBERS, in order."""
    rng = random.Random(seed)
    return sorted(rng.sample(NUMBERS, rng.randint(1, 90)))


# sets that hypothesis draws itself are small, which shrinks well but fills no bucket
sets_of_numbers = st.sets(numbers, min_size=1, max_size=6).map(sorted) | st.integers(0, 9999).map(some_numbers)


@dataclass(frozen=True)
class Row:
    """Everything of a row but its key follows from a key and a version; few vectors, so that distances tie."""

    number: int
    version: int

    @property
    def group(self) -> int:
        return (self.number + self.version) % 5

    @property
    def label(self) -> str | None:
        return LABELS[(self.number * 7 + self.version) % 3]

    @property
    def vector(self) -> np.ndarray:
        rng = np.random.default_rng((self.number % 150, self.version % 3))
        return (CENTRES[rng.integers(len(CENTRES))] + rng.normal(size=DIM)).astype(np.float32)


CONDITIONS: list[tuple[Any, Any]] = [
    ("`group` < 2", lambda row: row.group < 2),
    ("label IS NULL AND id IS NOT NULL", lambda row: row.label is None),
    ("label IN ('a', 'b') OR `group` = 0", lambda row: row.label is not None or row.group == 0),
    (pl.col("label") == "a", lambda row: row.label == "a"),
    (pl.col("group").is_between(1, 3) & pl.col("label").is_not_null(), lambda row: 1 <= row.group <= 3 and row.label),
    (pc.field("group") == 4, lambda row: row.group == 4),
    (~pc.field("label").is_null(), lambda row: row.label is not None),
    ("`group` > 90", lambda row: False),
]
conditions = st.sampled_from(CONDITIONS)


class CollectionModel(RuleBasedStateMachine):
    """The model is `rows`, by number; the key of a row is its number, or a text of equal order."""

    @initialize(
        metric=st.sampled_from(["l2", "cosine", "dot"]),
        key_type=st.sampled_from([pa.int64(), pa.uint64(), pa.string()]),
        value_type=st.sampled_from([pa.float32(), pa.float64()]),
        memtable_rows=st.integers(1, 200),
        graph_rows=st.integers(1, 100),
        merge_rows=st.integers(0, 400),
        profile=st.sampled_from(["hot", "cold"]),
        wanted=st.integers(0, 9999).map(some_numbers),
    )
    def create(self, metric, key_type, value_type, memtable_rows, graph_rows, merge_rows, profile, wanted):
        fields = {"id": key_type, "embedding": pa.list_(value_type, DIM), "group": pa.int32(), "label": pa.string()}
        self.schema, self.metric = pa.schema(fields), metric
        self.rows: dict[int, Row] = {}
        self.versions, self.turns = itertools.count(), itertools.count()
        self.wanted = self.found = 0
        self.is_scattered = False
        self.db = self.connect()
        options = self.make_options(
            memtable_bytes=memtable_rows * DIM * 4,
            graph_rows=graph_rows,
            merge_bytes=merge_rows * DIM * 4,
            profile=profile,
        )
        arguments = {"vector": "embedding", "key": "id", "metric": metric, "options": options}
        self.docs = self.db.create_collection("docs", schema=self.schema, **arguments)
        self.reader = Collection("docs", Reader(self.storage_of_reader()), read_only=True)
        self.rows_of_reader: dict[int, Row] = {}
        # not from nothing: many an example writes little and reads much
        self.add_new_ones(wanted)

    def make_options(self, **given: Any) -> drift.Options:
        return drift.Options(**given)

    def connect(self) -> drift.Database:
        return drift.connect(f"memory://model-{next(_names)}")

    def storage_of_reader(self) -> Storage:
        return MemoryStorage(self.docs.path)

    def teardown(self):
        if hasattr(self, "db"):
            self.db.close()
            # recall is promised on average, and few searches may find less by chance: three standard deviations
            chance = 3 * math.sqrt(self.wanted * RECALL_FLOOR * (1 - RECALL_FLOOR))
            assert self.found >= RECALL_FLOOR * self.wanted - chance, f"recall is {self.found / self.wanted}"

    def key(self, number: int) -> int | str:
        return f"key {number:04d}" if pa.types.is_string(self.schema.field("id").type) else number

    def table(self, rows: list[Row]) -> pa.Table:
        columns = {
            "id": [self.key(row.number) for row in rows],
            "embedding": [row.vector.tolist() for row in rows],
            "group": [row.group for row in rows],
            "label": [row.label for row in rows],
        }
        return pa.table(columns, schema=self.schema)

    def fresh(self, wanted: list[int]) -> dict[int, Row]:
        version = next(self.versions)
        return {number: Row(number, version) for number in wanted}

    @rule(wanted=sets_of_numbers)
    def add(self, wanted):
        rows = self.fresh(wanted)
        existing = [number for number in wanted if number in self.rows]
        if existing:
            names = "|".join(f"key={self.key(number)!r}$" for number in existing)
            with pytest.raises(AlreadyExistsError, match=names):
                self.docs.add(self.table([*rows.values()]))
            return
        assert self.docs.add(self.table([*rows.values()])) == len(rows)
        self.rows = self.rows | rows

    @rule(wanted=sets_of_numbers)
    def add_new_ones(self, wanted):
        rows = self.fresh([number for number in wanted if number not in self.rows])
        assert self.docs.add(self.table([*rows.values()])) == len(rows)
        self.rows = self.rows | rows

    @rule(wanted=sets_of_numbers)
    def upsert(self, wanted):
        rows = self.fresh(wanted)
        assert self.docs.upsert(self.table([*rows.values()])) == len(rows)
        self.rows = self.rows | rows

    @rule(wanted=sets_of_numbers, bad=st.sampled_from(["nan", "twice"]))
    def write_a_bad_batch(self, wanted, bad):
        table = self.table([*self.fresh(wanted).values()])
        if bad == "twice":
            table = pa.concat_tables([table, table.slice(0, 1)])
        else:
            vectors = [*table["embedding"].to_pylist()[:-1], [float("nan")] * DIM]
            table = table.set_column(1, self.schema.field(1), pa.array(vectors, self.schema.field(1).type))
        with pytest.raises(InvalidArgumentError):
            self.docs.upsert(table)

    @rule(wanted=st.lists(numbers, max_size=30) | sets_of_numbers)
    def delete_keys(self, wanted):
        gone = self.rows.keys() & set(wanted)
        assert self.docs.delete(keys=[self.key(number) for number in wanted]) == len(gone)
        self.rows = {number: row for number, row in self.rows.items() if number not in gone}

    @rule(condition=conditions)
    def delete_where(self, condition):
        where, keeps = condition
        kept = {number: row for number, row in self.rows.items() if not keeps(row)}
        assert self.docs.delete(where=where) == len(self.rows) - len(kept)
        self.rows = kept

    @rule()
    def flush(self):
        self.docs.flush()
        assert self.docs.stats().memtable_rows == 0

    @rule(budget=st.none() | st.integers(1, 200))
    def heal(self, budget):
        self.docs.heal(budget)

    @rule(seed=st.integers(0, 9999))
    def move_rows(self, seed):
        assert isinstance(self.docs._owned, Core)
        self.is_scattered = True
        move_any(self.docs._owned, seed)

    @rule()
    def reopen(self):
        self.docs.close()
        self.docs = self.db.collection("docs")

    @rule(wanted=st.lists(numbers, min_size=1, max_size=20))
    def get(self, wanted):
        expected = self.table([self.rows[number] for number in wanted if number in self.rows])
        assert self.docs.get([self.key(number) for number in wanted]).equals(expected)

    @rule(condition=st.none() | conditions, k=st.integers(1, 30), number=numbers)
    def search_exactly(self, condition, k, number):
        rows = self.allowed(condition)
        queries = np.stack([Row(number, 1).vector, Row(number, 2).vector])
        found = self.searched(queries, condition, k).exact().to_arrow()
        for index, query in enumerate(queries):
            mine = found.filter(pc.field("query_index") == index)
            assert mine.num_rows == min(k, len(rows))
            assert self.hits(mine, rows, query) == mine.num_rows

    @rule(condition=st.none() | conditions, k=st.integers(1, 30), number=numbers)
    def search(self, condition, k, number):
        rows = self.allowed(condition)
        query = Row(number, 1).vector
        found = self.searched(query, condition, k).to_arrow()
        assert found.num_rows == min(k, len(rows))
        hits = self.hits(found, rows, query)
        # where rows lie in buckets far from where they belong, no share of the nearest is promised
        if not self.is_scattered:
            self.found += hits
            self.wanted += found.num_rows

    @rule()
    def refresh_the_reader(self):
        self.reader.refresh()
        self.rows_of_reader = self.rows

    @rule()
    def verify(self):
        self.docs.verify()

    @invariant()
    def rows_are_those_of_the_model(self):
        if hasattr(self, "docs"):
            assert len(self.docs) == len(self.rows)
            assert self.everything(self.docs).equals(self.table([self.rows[number] for number in sorted(self.rows)]))

    @invariant()
    def the_reader_sees_what_it_saw(self):
        if hasattr(self, "docs"):
            rows = self.rows_of_reader
            assert self.everything(self.reader).equals(self.table([rows[number] for number in sorted(rows)]))

    @invariant()
    def searches_find_the_nearest(self):
        if hasattr(self, "docs"):
            turn = next(self.turns)
            arguments = {"condition": [None, *CONDITIONS][turn % 9], "k": 1 + turn % 30, "number": turn * 7 % 300}
            self.search(**arguments)
            self.search_exactly(**arguments)

    def everything(self, docs: CollectionView) -> pa.Table:
        return pa.Table.from_batches(docs.to_batches(), schema=self.schema).sort_by("id").combine_chunks()

    def allowed(self, condition: tuple[Any, Any] | None) -> dict[int | str, Row]:
        return {self.key(row.number): row for row in self.rows.values() if condition is None or condition[1](row)}

    def searched(self, query: np.ndarray, condition: tuple[Any, Any] | None, k: int) -> drift.Search:
        search = self.docs.search(query).limit(k)
        return search if condition is None else search.where(condition[0])

    def hits(self, found: pa.Table, rows: dict[int | str, Row], query: np.ndarray) -> int:
        """How many of `found` are among the nearest of `rows`; all of them must be of `rows`, in order and exact."""
        keys, got = found["id"].to_pylist(), found["_distance"].to_numpy()
        assert len(set(keys)) == len(keys)
        assert set(keys) <= rows.keys()
        assert [(distance, key) for distance, key in zip(got, keys, strict=True)] == sorted(zip(got, keys, strict=True))
        if not keys:
            return 0
        matrix = np.stack([row.vector for row in rows.values()])
        truth = dict(zip(rows, distances(matrix, query, self.metric), strict=True))
        slack = tolerance(matrix, query, self.metric)
        assert np.allclose(got, [truth[key] for key in keys], rtol=0, atol=slack)
        farthest = sorted(truth.values())[len(keys) - 1]
        return sum(truth[key] <= farthest + slack for key in keys)


COMMON = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_any_calls_in_any_order_agree_with_a_dict_and_brute_force():
    modest = settings(COMMON, max_examples=30, stateful_step_count=30, derandomize=True)
    run_state_machine_as_test(CollectionModel, settings=modest)


def test_codes_and_graphs_of_memtables_agree_with_a_dict_and_brute_force(monkeypatch):
    lower_thresholds(monkeypatch, block_rows=8, ef=16)
    modest = settings(COMMON, max_examples=30, stateful_step_count=30, derandomize=True)
    run_state_machine_as_test(CollectionModel, settings=modest)


@pytest.mark.slow
def test_codes_and_graphs_of_memtables_agree_with_brute_force_through_many_calls(monkeypatch):
    lower_thresholds(monkeypatch, block_rows=8, ef=16)
    run_state_machine_as_test(CollectionModel, settings=settings(COMMON, max_examples=300, stateful_step_count=60))


@pytest.mark.slow
def test_many_calls_in_any_order_agree_with_a_dict_and_brute_force():
    run_state_machine_as_test(CollectionModel, settings=settings(COMMON, max_examples=300, stateful_step_count=60))
