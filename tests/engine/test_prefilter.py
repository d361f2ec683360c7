from __future__ import annotations

import gc
import math
import weakref
from dataclasses import replace

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import drift_arrow as drift
from drift_arrow.engine import row_space
from drift_arrow.engine.expression_tree import is_pure, parse
from drift_arrow.engine.predicate import make_predicate
from drift_arrow.engine.prefilter import filter_view
from drift_arrow.engine.snapshot import SegmentView
from drift_arrow.errors import InvalidArgumentError
from drift_arrow.format.segment_reader import SegmentReader
from drift_arrow.kernels import bitmap
from tests.tables import DIM, create, make_table

ROWS = 600
QUERY = np.zeros(DIM, np.float32)


@pytest.fixture
def docs(db):
    """Three segments with the keys 0.., 600.. and 1200.., and 50 rows in the memtable."""
    docs = create(db, options=drift.Options(merge_bytes=0))
    for number in range(3):
        docs.add(make_table(ROWS, start=number * ROWS))
        docs.flush()
    docs.add(make_table(50, start=3 * ROWS))
    return docs


def segments(docs):
    return docs.pin().segments


def filtered(docs, where, number=0):
    return filter_view(segments(docs)[number], make_predicate(where, docs.spec), docs.spec)


def ids(docs, where):
    return sorted(docs.search(QUERY).where(where).limit(5_000).to_arrow()["id"].to_pylist())


@pytest.fixture
def reads(monkeypatch):
    """Rows that were decoded of columns to filter by."""
    rows = []
    read_rows, take = SegmentReader.read_rows, SegmentView.take

    def counted(self, start, stop, columns):
        rows.append(stop - start)
        return read_rows(self, start, stop, columns)

    def counted_take(self, some, names):
        rows.append(len(some))
        return take(self, some, names)

    monkeypatch.setattr(SegmentReader, "read_rows", counted)
    monkeypatch.setattr(SegmentView, "take", counted_take)
    return rows


@pytest.mark.parametrize("where", ["price < -100", pl.col("price") > 100, pc.field("price") > 100])
def test_a_segment_whose_bounds_rule_a_condition_out_is_not_read(docs, reads, where):
    found = filtered(docs, where)
    assert (found.n_runs, found.n_pruned, reads) == (1, 1, [])
    assert not found.bits.any()


def test_a_segment_whose_bounds_fulfil_a_condition_is_not_read(docs, reads):
    found = filtered(docs, "price < 100 AND id >= 0")
    assert (found.n_certain, reads) == (1, [])
    assert bitmap.count(found.bits, ROWS) == ROWS


def test_nulls_keep_a_segment_from_being_certain(docs, reads):
    found = filtered(docs, "lang >= 'a'")
    assert (found.n_certain, reads) == (0, [ROWS])
    assert bitmap.count(found.bits, ROWS) == sum(key % 11 != 0 for key in range(ROWS))


@pytest.mark.parametrize(
    "where",
    [
        "id = 700",
        "700 = id AND price < 100",
        "id IN (5000, 700)",
        pl.col("id").is_in([700, -1]),
        pl.col("id") == pl.lit(700, dtype=pl.UInt16),
        pc.field("id") == 700,
        (pc.field("price") < 100) & pc.field("id").isin([700, 9_999]),
    ],
)
def test_keys_are_looked_up_and_only_their_rows_read(docs, reads, where):

    found = [filtered(docs, where, number) for number in range(3)]
    assert [part.how for part in found] == ["keys"] * 3
    assert [bitmap.count(part.bits, ROWS) for part in found] == [0, 1, 0]
    assert sum(reads) <= 2
    assert ids(docs, where) == [700]


@pytest.mark.parametrize("where", ["id = 700 OR price < -100", "NOT id = 700", "id > 700", "id = 700.5", "price = 700"])
def test_a_condition_that_other_keys_can_satisfy_does_not_look_keys_up(docs, where):
    assert make_predicate(where, docs.spec).keys is None


def test_many_wanted_keys_read_the_column_instead(docs):
    assert filtered(docs, pl.col("id").is_in(list(range(ROWS)))).how == "zones"


def test_string_keys_are_looked_up(db):
    table = make_table(50)
    table = table.set_column(0, "id", table["id"].cast("string"))
    docs = create(db, table=table)
    docs.add(table)
    docs.flush()
    assert filtered(docs, "id IN ('7', 'x')").how == "keys"
    assert ids(docs, "id IN ('7', 'x')") == ["7"]
    assert ids(docs, pc.field("id") == "7") == ["7"]


def test_a_repeated_condition_reads_nothing(docs, reads):
    first = filtered(docs, "lang = 'en'")
    reads.clear()
    again = filtered(docs, "lang = 'en'")
    assert (again.how, reads) == ("kept", [])
    np.testing.assert_array_equal(again.bits, first.bits)


def test_conditions_that_differ_in_a_literal_have_masks_of_their_own(docs):
    price, nan = pl.col("price"), pl.lit(math.nan)
    assert ids(docs, price > math.inf) == []
    assert len(ids(docs, price < nan)) == 3 * ROWS + 50
    assert ids(docs, price < -math.inf) == []
    assert ids(docs, price > nan) == []


def test_rows_deleted_after_a_mask_was_kept_stay_away(docs):
    before = ids(docs, "lang = 'en'")
    docs.delete(keys=before[:5])
    assert ids(docs, "lang = 'en'") == before[5:]


def test_rows_added_after_a_mask_was_kept_are_found(docs):
    before = ids(docs, "lang = 'de'")
    docs.add(make_table(30, start=10_000))
    docs.flush()
    assert ids(docs, "lang = 'de'") == before + [key for key in range(10_000, 10_030) if key % 3 == 1 and key % 11]


def test_the_mask_of_a_python_function_is_not_kept():
    assert not is_pure(parse(pl.col("id").map_batches(lambda keys: keys > 3, return_dtype=pl.Boolean)))


def test_few_masks_are_kept(docs):
    for price in range(20):
        ids(docs, f"price < 0.{price}")
    assert len(segments(docs)[0].masks._kept) == 8


def test_masks_go_with_their_segment(docs):
    ids(docs, "price < 0.1")
    masks = weakref.ref(segments(docs)[0].masks)
    docs.delete(where="id < 600")
    docs.flush()
    gc.collect()
    assert masks() is None


@pytest.mark.parametrize("where", [pl.lit(value=True), pl.lit(value=False), pc.scalar(True)])
def test_a_condition_without_columns_holds_for_all_rows_or_none(docs, where):
    assert len(ids(docs, where)) == (0 if str(where) == "false" else 3 * ROWS + 50)


def test_a_pyarrow_condition_reads_only_the_columns_it_names(docs):
    assert make_predicate(pc.field("price") > pc.field("id"), docs.spec).columns == ["id", "price"]


def test_a_position_in_a_pyarrow_condition_counts_the_columns_of_the_collection(docs):
    for position, name in ((0, "id"), (3, "price")):
        assert ids(docs, pc.field(position) < 0.5) == ids(docs, pc.field(name) < 0.5)
    with pytest.raises(InvalidArgumentError, match="evaluated"):
        ids(docs, pc.field(4) < 3)


@pytest.mark.parametrize("where", ["price < 0.5", pl.col("price") < 0.5])
def test_a_condition_is_checked_once_per_collection(docs, where):
    assert make_predicate(where, docs.spec) is make_predicate(where, docs.spec)
    other = replace(docs.spec, key_seed=docs.spec.key_seed + 1)
    assert make_predicate(where, docs.spec) is not make_predicate(where, other)


def test_what_is_not_below_nan_is_not_pruned(docs):
    assert ids(docs, ~(pc.field("price") < pa.scalar(math.nan))) == ids(docs, pl.lit(value=True))


def test_a_condition_that_is_asked_again_is_not_evaluated_again_not_even_on_memtables(docs, monkeypatch):
    views = []

    def counted(view, predicate, spec):
        views.append(view)
        return filter_view(view, predicate, spec)

    monkeypatch.setattr(row_space, "filter_view", counted)
    found = ids(docs, "price > 0")
    assert len(views) == 4
    assert ids(docs, "price > 0") == found
    assert len(views) == 4
    frame = docs.search(QUERY).where("price > 0").analyze().frame
    assert frame["filter_runs"].to_list() == [0]


def test_rows_that_came_or_went_since_are_judged(docs):
    before = ids(docs, "id >= 1849")
    docs.add(make_table(1, start=4 * ROWS))
    docs.delete(keys=[1849])
    assert before == [1849]
    assert ids(docs, "id >= 1849") == [4 * ROWS]


def test_more_conditions_than_are_remembered_are_all_answered(docs):
    for _ in range(2):
        for low in range(0, 1800, 200):
            assert len(ids(docs, f"id >= {low}")) == 1850 - low
