from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import drift_arrow as drift

_names = itertools.count()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def db(root: Path):
    with drift.connect(root) as database:
        yield database


@pytest.fixture(params=["local", "memory"])
def any_db(request: pytest.FixtureRequest, root: Path):
    uri = str(root) if request.param == "local" else f"memory://test-{next(_names)}"
    with drift.connect(uri) as database:
        yield database
