"""With a contract, vectors of another model are refused before anything is written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import drift_arrow as drift
from drift_arrow.errors import CorruptionError, InvalidArgumentError
from tests.tables import DIM, create, make_table, matrix_of


def unit_table(n_rows, start=0, scale=1.0, model=None):
    table = make_table(n_rows, start=start)
    matrix = matrix_of(table)
    matrix = (matrix / np.linalg.norm(matrix, axis=1, keepdims=True) * scale).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel()), DIM)
    table = table.set_column(1, "embedding", column)
    return table.replace_schema_metadata({"embedding_model": model}) if model else table


def model_of(docs):
    return docs.contract.model


@pytest.fixture
def docs(db):
    docs = create(db)
    docs.add(unit_table(200))
    return docs


def test_a_collection_without_a_contract_takes_any_vectors(docs):
    assert docs.contract is None
    assert docs.add(unit_table(10, start=1_000, scale=7, model="other")) == 10


def test_lengths_that_do_not_fit_are_refused_with_the_figures(docs):
    docs.set_contract("encoder-1")
    assert model_of(docs) == "encoder-1"
    assert docs.add(unit_table(10, start=1_000)) == 10
    for write in (docs.add, docs.upsert):
        with pytest.raises(InvalidArgumentError, match=r"outside=100\.0% mean_length=3 expected=0\.99") as caught:
            write(unit_table(10, start=2_000, scale=3))
        assert "encoder-1" in str(caught.value)
    assert len(docs) == 210


def test_one_row_in_a_hundred_may_be_of_any_length(docs):
    docs.set_contract("encoder-1")
    table = pa.concat_tables([unit_table(199, start=1_000), unit_table(1, start=2_000, scale=50)])
    assert docs.add(table) == 200


def test_a_table_of_another_model_is_refused(docs):
    docs.set_contract("encoder-1")
    assert docs.add(unit_table(5, start=1_000, model="encoder-1")) == 5
    with pytest.raises(InvalidArgumentError, match="got='encoder-2' expected='encoder-1'"):
        docs.add(unit_table(5, start=2_000, model="encoder-2"))


def test_a_canary_that_came_out_otherwise_is_refused(docs):
    table = unit_table(3, start=900)
    canaries = dict(zip([900, 901, 902], matrix_of(table), strict=True))
    docs.set_contract("encoder-1", canaries=canaries)
    noisy = (matrix_of(table) + 1e-4).astype(np.float32)
    again = table.set_column(1, "embedding", pa.FixedSizeListArray.from_arrays(pa.array(noisy.ravel()), DIM))
    assert docs.upsert(pa.concat_tables([again, unit_table(50, start=1_000)])) == 53
    turned = np.roll(matrix_of(table), 1, axis=1)
    other = table.set_column(1, "embedding", pa.FixedSizeListArray.from_arrays(pa.array(turned.ravel()), DIM))
    with pytest.raises(InvalidArgumentError, match=r"canary.*key=90[012] cosine="):
        docs.upsert(other)


def test_a_contract_outlives_the_process_and_can_be_replaced_and_dropped(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.set_contract("encoder-1", like=np.eye(DIM), canaries={7: np.eye(DIM)[0]})
    with drift.connect(root) as db:
        docs = db.collection("docs")
        with pytest.raises(InvalidArgumentError, match="lengths"):
            docs.add(unit_table(10, scale=2))
        with db.collection("docs", read_only=True) as other:
            assert model_of(other) == "encoder-1"
            with pytest.raises(InvalidArgumentError, match="read_only"):
                other.set_contract("encoder-3", like=np.eye(DIM))
        docs.set_contract("encoder-2", like=2 * np.eye(DIM))
        assert docs.add(unit_table(10, scale=2)) == 10
        assert len(list((root / "docs" / "contracts").iterdir())) == 1
    with drift.connect(root) as db, db.collection("docs", read_only=True) as docs:
        assert model_of(docs) == "encoder-2"
    with drift.connect(root) as db:
        db.collection("docs").drop_contract()
    with drift.connect(root) as db:
        assert db.collection("docs").contract is None
        assert db.collection("docs").add(unit_table(10, start=50, scale=9)) == 10


def test_a_damaged_contract_lets_nobody_write_but_all_read(root):
    with drift.connect(root) as db:
        docs = create(db)
        docs.add(unit_table(20))
        docs.set_contract("encoder-1")
    (path,) = (root / "docs" / "contracts").iterdir()
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(data[:60] + bytes([data[60] ^ 1]) + data[61:])
    with drift.connect(root) as db:
        with pytest.raises(CorruptionError, match="contract"):
            db.collection("docs")
        with db.collection("docs", read_only=True) as docs:
            assert len(docs) == 20
        path.write_bytes(data)
        assert model_of(db.collection("docs")) == "encoder-1"


def test_string_keys_can_be_canaries(db):
    table = unit_table(2).set_column(0, "id", pa.array(["a", "b"]))
    docs = create(db, table=table)
    docs.set_contract("m", like=matrix_of(table), canaries={"b": -matrix_of(table)[1]})
    with pytest.raises(InvalidArgumentError, match="key='b' cosine=-1"):
        docs.add(table)
    assert docs.add(table.slice(0, 1)) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"model": ""},
        {"model": 3},
        {"model": "m", "like": np.ones((1, DIM))},
        {"model": "m", "like": np.ones((3, DIM + 1))},
        {"model": "m", "canaries": {"x": np.ones(DIM)}},
        {"model": "m", "canaries": {1: np.ones(DIM + 1)}},
        {"model": "m", "canaries": {1: np.ones(DIM), 2: np.ones(3)}},
    ],
    ids=str,
)
def test_contracts_that_make_no_sense_are_refused(docs, arguments):
    with pytest.raises(InvalidArgumentError):
        docs.set_contract(**arguments)
    assert docs.contract is None
