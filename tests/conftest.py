from __future__ import annotations

import itertools
from pathlib import Path

import pytest

import drift_arrow as drift
from tests.s3 import can_serve, serve

_names = itertools.count()


@pytest.fixture(scope="session")
def s3_options():
    """What connects to a server of S3, which has the bucket "drift"."""
    if not can_serve():
        pytest.skip("needs s3fs and moto[server], both in the extra [test]")
    with serve() as options:
        yield options


@pytest.fixture
def s3_uri() -> str:
    """A prefix that no other test uses."""
    return f"s3://drift/test-{next(_names)}"


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
