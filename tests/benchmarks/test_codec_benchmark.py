import json

import pytest

pytest.importorskip("vortex")
pytest.importorskip("pcodec")
pytest.importorskip("matplotlib")

from codec_bench.bars import Results, bars
from codec_bench.column import Group
from codec_bench.inputs import load
from codec_bench.measure import Result
from codec_bench.published import SAMPLES, WHOLE_COLUMNS
from codec_bench.run import run


def test_all_codecs_take_part_without_real_data(tmp_path, capsys):
    json_file, plot_file = tmp_path / "results.json", tmp_path / "plot.png"
    run(tmp_path, seconds=0, most_values=2_000, json_file=json_file, plot_file=plot_file)
    document = json.loads(json_file.read_text())
    codecs = {result["codec"] for result in document["results"]}
    assert {"drift", "drift-kernel", "copy", "vortex", "parquet", "parquet-bss-zstd", "pcodec", "zstd"} <= codecs
    assert all(
        result["bits"] > 0 and result["decode"] > 0 for result in document["results"] if result["codec"] == "drift"
    )
    assert plot_file.stat().st_size > 1_000
    printed = capsys.readouterr().out
    assert "row-groups: generated" in printed
    assert "== bars" in printed


def test_columns_without_real_data_are_the_same_each_time(tmp_path):
    first, second = load(tmp_path)[0], load(tmp_path)[0]
    assert all((a.values == b.values).all() for a, b in zip(first, second, strict=True))
    assert {column.group for column in first} == set(Group) - {Group.SAMPLE}


def test_bars_compare_with_vortex():
    results = [
        Result(Group.ROW_GROUP, "x", codec, bits, encode, decode, "")
        for codec, bits, encode, decode in (
            ("drift", 10, 8, 9),
            ("drift-parsed", 10, 8, 9),
            ("vortex-bytes", 11, 1, 3),
            ("vortex", 11, 1, 3),
        )
    ]
    found = {bar.name: bar for bar in bars(Results(results), {})}
    assert found["decode float64 hot, least, drift / vortex-bytes"].value == 3
    assert found["decode float64 hot, least, drift / vortex-bytes"].verdict == "PASS"
    assert found["decode int64 hot, least, drift / vortex-bytes"].verdict == "-"
    assert found["bits / vortex, columns.npz + row-groups"].value == pytest.approx(10 / 11)


def test_the_publication_has_thirty_columns():
    assert len(SAMPLES) == len(WHOLE_COLUMNS) == 30
    assert sum(WHOLE_COLUMNS.values()) / 30 == pytest.approx(21.7, abs=0.05)
