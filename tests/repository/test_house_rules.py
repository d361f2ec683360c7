"""Rules of the repository that no other tool checks, and those that a change should not have to wait for CI to hear."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from drift_arrow import errors

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "drift_arrow"
TEXT_SUFFIXES = {
    "", ".cfg", ".editorconfig", ".gitignore", ".ipynb", ".json", ".md", ".proto", ".py", ".pyi", ".sh", ".sql",
    ".toml", ".txt", ".yaml", ".yml",
}  # fmt: skip
# Brackets keep the patterns from finding themselves.
FORBIDDEN_TEXT = re.compile(
    r"(?<![\w.~-])/(?:wor[k]|roo[t]|tm[p]|hom[e]|User[s]|op[t])/|\.\./share[d]"
    r"|py[p]i\.(?:python\.)?org|pythonhoste[d]|conda\.anacond[a]|index-ur[l]",
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def repository_files() -> list[Path]:
    """Files under version control, or about to be; without git (a source archive) all that tools did not leave."""
    listing = subprocess.run(
        ["env", "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # env: git may be missing
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    else:
        left = re.compile(r"/(__pycache__|\.(?!ci/|editorconfig|gitignore|pre-commit)[^/]*)(/|$)")
        paths = [path for path in ROOT.rglob("*") if not left.search("/" + path.relative_to(ROOT).as_posix())]
    return [path for path in paths if path.is_file()]


def test_files_stay_short():
    done = run(".ci/file_lengths.py")
    assert done.returncode == 0, done.stdout


def test_imports_run_downwards():
    lint = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    done = run("-c", lint)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_error_class_is_raised_somewhere():
    declared = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.DriftError) and value is not errors.DriftError
    }
    created = {
        getattr(call.func, "id", getattr(call.func, "attr", None))
        for path in PACKAGE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
    }
    assert declared - created == set()


def test_no_file_names_a_machine_or_a_registry():
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in repository_files()
        if path.suffix in TEXT_SUFFIXES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if FORBIDDEN_TEXT.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("heavy", ["numba", "duckdb", "grpc", "ray"])
def test_importing_the_package_leaves_out(heavy):
    done = run("-c", f"import sys, drift_arrow; sys.exit({heavy!r} in sys.modules)")
    assert done.returncode == 0, done.stderr or f"`import drift_arrow` loads {heavy}"
