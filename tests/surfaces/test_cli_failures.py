"""What `drift-cli` prints and returns when something is wrong."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from drift_arrow.cli.app import app
from tests.surfaces.command_line import ROOT, assert_one_line, make_collection, make_table, run, start, succeed

COMMANDS = [command.name for command in app.registered_commands]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["explode"], "No such command 'explode'"),
        (["search"], "Missing argument"),
        (["stats", "/"], "expected ROOT/NAME"),
        (["stats", "memory://x"], "expected ROOT/NAME"),
        (["search", "data/docs"], "either a QUERY or --like"),
        (["search", "data/docs", "[1]", "--like", "2"], "either a QUERY or --like"),
        (["search", "data/docs", "[1, "], "expected a JSON list"),
        (["search", "data/docs", '["a"]'], "expected a JSON list"),
        (["search", "data/docs", "[[1], [2, 3]]"], "expected a JSON list"),
        (["search", "data/docs", "[[[1]]]"], "dimensions=3"),
        (["search", "data/docs", "[1]", "--k", "0"], "--k"),
        (["search", "data/docs", "[1]", "--nope"], "--nope"),
        (["serve", "data", "--port", "99999"], "--port"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(words, part):
    assert_one_line(run(*words), part, code=2)


@pytest.mark.parametrize(
    "words", [["stats"], ["verify"], ["search", "--like", "1"], ["drop", "--yes"], ["add", "rows.parquet"]]
)
def test_a_missing_collection_is_one_line_that_names_what_exists(tmp_path, words):
    make_collection(tmp_path, name="present")
    command, *rest = words
    assert_one_line(run(command, tmp_path / "absent", *rest), "absent", "present")


def test_an_unexpected_error_is_one_line_too(monkeypatch, tmp_path):
    def explode(_: str) -> None:
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("drift_arrow.cli.commands.list.connected", explode)
    assert_one_line(run("list", tmp_path), "ZeroDivisionError", "boom", "DRIFT_DEBUG=1")


def test_drift_debug_shows_where_an_error_was_raised(tmp_path):
    with start("stats", tmp_path / "absent", DRIFT_DEBUG="1") as process:
        _, stderr = process.communicate()
    assert process.returncode == 1
    assert "Traceback" in stderr
    assert "NotFoundError" in stderr


def test_a_reader_that_leaves_early_ends_the_command_quietly(tmp_path):
    address = make_collection(tmp_path, make_table(5_000))
    succeed("search", address, "[0, 0, 0, 0]", "--k", "5000", "--json")  # compiling says so on stderr
    with start("search", address, "[0, 0, 0, 0]", "--k", "5000", "--json") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1


def test_without_a_command_the_help_is_printed():
    assert "drift-cli demo" in succeed()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_holds_an_example(command):
    assert f"drift-cli {command} " in succeed(command, "--help").replace(" \n", "\n") + " "


def test_every_command_can_be_listed():
    listed = """
    demo create add search sql export import stats inspect drift recall heal
    verify doctor versions tag restore list drop serve warmup
    """
    assert COMMANDS == listed.split()  # noqa: SIM300 - the order of the help


def test_printing_the_help_loads_no_engine():
    check = (
        "import sys; from drift_arrow.cli.app import app; "
        "sys.exit(','.join({'numba', 'duckdb', 'grpc', 'hnswlib'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_class_of_usage_errors_is_what_typer_raises():
    from drift_arrow.cli.failures import UsageError

    assert UsageError.__name__ == "UsageError"
    assert issubclass(typer.BadParameter, UsageError)
