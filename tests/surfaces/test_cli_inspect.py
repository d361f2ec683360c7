"""`drift-cli inspect`: what is in a segment."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

import drift_arrow
from drift_arrow.cli.inspection import show
from drift_arrow.cli.inspection.bars import bar
from drift_arrow.cli.inspection.facts import most_common_tree, read_segment, tree_text, width_text
from drift_arrow.format.block_info import BlockInfo
from drift_arrow.format.encoding import Encoding
from drift_arrow.format.layout import BlockType, CodecId
from tests.surfaces.command_line import assert_one_line, make_collection, make_table, run, succeed

N_ROWS = 3000


@pytest.fixture
def address(tmp_path):
    """Two segments of N_ROWS rows each, and 20 rows that are in none."""
    prices = pa.array(np.arange(N_ROWS) / 4, mask=np.arange(N_ROWS) % 10 == 0)
    table = make_table(N_ROWS).append_column("price", prices)
    options = drift_arrow.Options(merge_bytes=0)
    with (
        drift_arrow.connect(tmp_path) as database,
        database.create_collection("docs", schema=table.schema, vector="v", key="id", options=options) as docs,
    ):
        for number in range(2):
            keys = pa.array(np.arange(N_ROWS) + number * N_ROWS)
            docs.add(table.set_column(0, "id", keys))
            docs.flush()
        docs.add(table.slice(0, 20).set_column(0, "id", pa.array(np.arange(20) + 2 * N_ROWS)))
    return f"{tmp_path}/docs"


@pytest.fixture
def files(address, tmp_path):
    return sorted((tmp_path / "docs" / "segments").glob("*.drift"))


def test_a_file_shows_its_facts_columns_and_tables(files):
    printed = succeed("inspect", files[0])
    for part in (f"{N_ROWS:,} rows", "vectors in v, 4 dimensions, metric l2; keys in id", "bloom", "key order"):
        assert part in printed
    for name in ("id: int64", "title: string", "price: double", "v: fixed_size_list<item: float>[4]"):
        assert f"\n{name}\n" in printed


def test_json_holds_every_byte_of_the_file_and_every_row_of_every_column(files):
    (document,) = json.loads(succeed("inspect", files[0], "--json"))
    assert document["bytes"] == files[0].stat().st_size
    blocks = [block for column in document["columns"] for block in column["blocks"]]
    tables = document["tables"].values()
    stored = sum(block["stored_bytes"] for block in blocks) + sum(table["bytes"] for table in tables)
    assert stored + document["frame_bytes"] == document["bytes"]
    for column in document["columns"]:
        stops = np.cumsum([block["values"] for block in column["blocks"]]).tolist()
        assert [block["first_row"] for block in column["blocks"]] == [0, *stops[:-1]]
        assert stops[-1] == N_ROWS


def test_zones_bound_the_rows(files):
    for document in json.loads(succeed("inspect", *files, "--json")):
        zones = {column["name"]: [block["zone"] for block in column["blocks"]] for column in document["columns"]}
        assert sum(zone["nulls"] for zone in zones["price"]) == N_ROWS // 10
        assert min(zone["min"] for zone in zones["price"]) == 0.25
        assert max(zone["max"] for zone in zones["price"]) == 749.75
        assert max(zone["max"] for zone in zones["id"]) - min(zone["min"] for zone in zones["id"]) == N_ROWS - 1
        assert zones["v"] == [None] * len(zones["v"])


def test_a_column_alone_is_shown_with_all_its_blocks(files):
    printed = succeed("inspect", files[0], "--column", "price")
    assert "price: double" in printed
    assert "title" not in printed
    (document,) = json.loads(succeed("inspect", files[0], "--column", "price", "--json"))
    assert [column["name"] for column in document["columns"]] == ["price"]


def test_what_is_left_out_is_said(files, capsys):
    facts = read_segment(str(files[0]))
    repeated = replace(facts, blocks=facts.blocks * 3)
    show.show_blocks(repeated, "id", 1)
    assert f"{len(repeated.of_column('id')) - 1} more: --column id" in capsys.readouterr().out


def test_a_collection_sums_its_segments(address, files):
    printed = succeed("inspect", address)
    assert "2 segments" in printed
    assert f"{2 * N_ROWS:,} rows" in printed
    assert all(file.name in printed for file in files)
    assert "per row" in printed


def test_a_collection_without_segments_is_no_error(tmp_path):
    address = make_collection(tmp_path)
    assert "0 segments" in succeed("inspect", address)
    assert json.loads(succeed("inspect", address, "--json")) == []


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_terminal(files, monkeypatch, width):
    terminal = io.StringIO()

    def narrow(*, stderr=False):
        return Console(width=width, force_terminal=True, color_system=None, markup=False, file=terminal)

    monkeypatch.setattr("drift_arrow.cli.output.console", narrow)
    monkeypatch.setattr(show, "console", narrow)
    succeed("inspect", files[0])
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert sum("double" in line and "price" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("share", "expected"), [(0, "    "), (0.25, "█   "), (0.5, "██  "), (0.53, "██▏ "), (1, "████"), (2, "████")]
)
def test_a_bar_fills_with_its_share(share, expected):
    assert bar(share, 4) == expected


def test_a_bar_is_ascii_where_nothing_else_can_be_printed(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert bar(0.5, 4) == "##  "


INNER = Encoding(name="INTEGERS", n_values=10, stored_bytes=10, min_width=3, max_width=5, n_exceptions=2)
OUTER = Encoding(name="DICTIONARY", n_values=10, stored_bytes=30, children=(INNER, Encoding(
    name="STRINGS", n_values=4, stored_bytes=20, children=(Encoding(
        name="INTEGERS", n_values=4, stored_bytes=4, min_width=9, max_width=9),),
)))  # fmt: skip


def test_encodings_are_written_with_those_inside_them():
    assert tree_text(OUTER) == "DICTIONARY(INTEGERS, STRINGS(INTEGERS))"
    assert [width_text(encoding) for encoding in (INNER, OUTER, OUTER.children[1])] == ["3-5", "3-9", "9"]


def test_the_encoding_of_a_column_is_that_of_most_rows():
    blocks = [block_of(INNER), block_of(OUTER), block_of(OUTER)]
    assert most_common_tree(blocks) == "DICTIONARY(INTEGERS, STRINGS(INTEGERS)) …"
    assert most_common_tree(blocks[:1]) == "INTEGERS"
    assert most_common_tree([]) == ""


def block_of(encoding):
    return BlockInfo(
        type=BlockType.COLUMN, column="x", first_row=0, n_values=encoding.n_values, codec=CodecId.PLAIN, raw_len=80,
        stored_len=encoding.stored_bytes, offset=4096, encoding=encoding, zone=None,
    )  # fmt: skip


def test_what_cannot_be_inspected_is_one_line(address, files, tmp_path):
    (tmp_path / "empty.drift").touch()
    (tmp_path / "other.drift").write_bytes(b"x" * 5000)
    damaged = bytearray(files[0].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    damaged[5000] ^= 1
    (tmp_path / "damaged.drift").write_bytes(damaged)
    assert_one_line(run("inspect", tmp_path / "absent.drift"), "no such file")
    assert_one_line(run("inspect", tmp_path / "empty.drift"), "empty.drift", "cut off")
    assert_one_line(run("inspect", tmp_path / "other.drift"), "not a DSEG header")
    assert_one_line(run("inspect", tmp_path / "damaged.drift"), "damaged.drift", "offset=")
    assert_one_line(run("inspect", address, "--column", "nope"), "no such column", "price")
    assert_one_line(run("inspect", address, files[0]), "expected one collection, or files", code=2)
    assert_one_line(run("inspect", tmp_path / "absent"), "no such collection")
    (tmp_path / "directory.drift").mkdir()
    assert_one_line(run("inspect", tmp_path / "directory.drift"), "cannot read")
