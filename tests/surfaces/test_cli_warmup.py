"""`drift-cli warmup`."""

from __future__ import annotations

import json

import pytest

from tests.surfaces.command_line import start, succeed


@pytest.fixture
def compile_kernels(monkeypatch):
    """Compiling takes half a minute: a double that says how many kernels there were to compile."""

    def double(n_compiled):
        def compile_kernels(progress):
            progress("keys", 0, 2)
            progress("done", 2, 2)
            return n_compiled

        monkeypatch.setattr("drift_arrow.kernels.warmup.compile_kernels", compile_kernels)

    return double


def test_the_first_run_says_what_it_compiled(compile_kernels):
    compile_kernels(1234)
    assert succeed("warmup").startswith("compiled 1,234 kernels in ")
    assert json.loads(succeed("warmup", "--json"))["compiled"] == 1234


def test_a_second_run_says_that_there_was_nothing_to_do(compile_kernels):
    compile_kernels(0)
    assert succeed("warmup").startswith("all kernels were compiled already")


def test_the_kernels_of_the_package_are_compiled(compile_kernels):
    with start("warmup", "--json", NUMBA_DISABLE_JIT="1") as process:
        stdout, stderr = process.communicate()
    assert (process.returncode, stderr) == (0, "")
    assert json.loads(stdout)["compiled"] == 0
