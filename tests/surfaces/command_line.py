"""Run `drift-cli` in this process or in its own, and make small collections for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from typer.testing import CliRunner, Result

import drift_arrow
from drift_arrow.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
DIM = 4


def run(*words: object, stdin: str | None = None) -> Result:
    """Run a command in this process; its output and exit code are in the result."""
    return CliRunner().invoke(app, [str(word) for word in words], input=stdin, prog_name="drift-cli")


def succeed(*words: object) -> str:
    """Run a command that must work; what it printed on stdout."""
    done = run(*words)
    assert done.exit_code == 0, done.output
    return done.stdout


def start(*words: object, code: str | None = None, **environment: str) -> subprocess.Popen[str]:
    """Start a command as a process of its own; use it as a context manager, which closes its pipes.

    `code` is Python that runs the command in `sys.argv` in some other way.
    """
    program = ["-m", "drift_arrow.cli"] if code is None else ["-c", code]
    return subprocess.Popen(
        [sys.executable, *program, *(str(word) for word in words)],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def assert_one_line(done: Result, *parts: str, code: int = 1) -> None:
    """The command failed with this code and one line on stderr that holds every part."""
    assert done.exit_code == code, done.output
    assert done.stdout == ""
    assert done.stderr.startswith("drift-cli: error: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


def make_table(n_rows: int = 20, first_key: int = 0) -> pa.Table:
    """Rows on a line: the vector of key i is (i, 0, 0, 0), its title is "row i", its lang alternates."""
    keys = np.arange(first_key, first_key + n_rows)
    vectors = np.zeros((n_rows, DIM), np.float32)
    vectors[:, 0] = keys
    return pa.table(
        {
            "id": pa.array(keys, pa.int64()),
            "title": pa.array([f"row {key}" for key in keys], pa.string()),
            "lang": pa.array(["en" if key % 2 else "de" for key in keys], pa.string()),
            "v": pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), DIM),
        }
    )


def make_collection(root: Path, table: pa.Table | None = None, name: str = "docs") -> str:
    """A closed collection that holds the table; its address."""
    table = make_table() if table is None else table
    with (
        drift_arrow.connect(str(root)) as database,
        database.create_collection(name, schema=table.schema, vector="v", key="id") as collection,
    ):
        if table.num_rows:
            collection.add(table)
    return f"{root}/{name}"


def stored(address: str) -> pa.Table:
    """Every row of a collection, by key."""
    root, _, name = address.rpartition("/")
    with drift_arrow.connect(root) as database, database.collection(name, read_only=True) as collection:
        return collection.scan().collect().to_arrow().sort_by("id")
