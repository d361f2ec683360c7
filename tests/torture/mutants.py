"""The tests themselves: each step and check that is left out must make one of them fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.torture.campaign import Attempt, Campaign
from tests.torture.mutations import MUTATIONS, ROOT

TESTS_FAILED = 1
_PARTS = ("drift_arrow", "tests", "notebooks", "benchmarks", "docs", "pyproject.toml", "README.md")


def mutate(seed: int, scratch: Path) -> Attempt:
    """Run the tests of one mutation on a copy of the source."""
    mutation, copy = MUTATIONS[seed], scratch / "copy"
    if not copy.exists():
        copy.mkdir()
        for part in _PARTS:
            source = ROOT / part
            shutil.copytree(source, copy / part) if source.is_dir() else shutil.copy(source, copy / part)
    changed = copy / "drift_arrow" / mutation.path
    changed.write_text(mutation.applied())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-n", "0", "-x", "-q", "-p", "no:cacheprovider", *mutation.tests.split()],
            cwd=copy, env=os.environ | {"PYTHONPATH": str(copy)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        shutil.copy(ROOT / "drift_arrow" / mutation.path, changed)
    if done.returncode == TESTS_FAILED:
        return Attempt(Counter({"": 1}))
    what = "no test misses it" if done.returncode == 0 else f"the tests did not run: {done.stdout[-500:]}"
    return Attempt(Counter({"": 1}), [f"{mutation.name}: {what}"])


MUTANTS = Campaign(
    name="mutants",
    what="every sync, check and order of steps is left out in turn, and tests must miss it",
    unit="mutations",
    goal=len(MUTATIONS),
    attempt=mutate,
    attempts=len(MUTATIONS),
)
