import json

import pyarrow as pa
import pytest

pytest.importorskip("vortex")

from tables_bench.check import same_rows
from tables_bench.mixed import DIM, mixed_table
from tables_bench.run import run


def test_all_formats_give_the_generated_table_back(tmp_path, capsys):
    json_file = tmp_path / "results.json"
    run(tmp_path, rows=3_000, seconds=0, names=[], json_file=json_file)
    (table,) = json.loads(json_file.read_text())["tables"]
    assert {"drift", "parquet", "parquet-zstd", "vortex"} <= set(table["read"]) == set(table["files"])
    for name, parts in table["parts"].items():
        assert sum(size for _, _, _, size in parts) == table["files"][name]
    assert "with key tables" in capsys.readouterr().out


def test_the_generated_table_is_the_same_each_time_and_has_many_kinds_of_columns():
    table = mixed_table(2_000)
    assert table.equals(mixed_table(2_000))
    assert table["id"].to_numpy().size == len(set(table["id"].to_pylist()))
    assert table.schema.field("vector").type == pa.list_(pa.float32(), DIM)
    assert 0 < table["comment"].null_count < 2_000


def test_other_rows_are_noticed():
    table = pa.table({"id": [1, 2, 3], "x": ["a", None, "c"]})
    assert same_rows(table, table.take([2, 0, 1]), "id")
    assert same_rows(table, table.set_column(1, "x", table["x"].cast(pa.string_view())), "id")
    assert not same_rows(table, table.set_column(1, "x", pa.array(["a", "b", "c"])), "id")
    assert not same_rows(table, table.slice(1), "id")
