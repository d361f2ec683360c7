"""Files that an earlier version wrote are read for good."""

import shutil
from pathlib import Path

import pyarrow as pa
import pytest

import drift_arrow as drift
from tests.format.samples import same
from tests.golden.write import PROFILES, digest, ranked_rows

VERSIONS = sorted(path for path in Path(__file__).parent.iterdir() if path.name.startswith("v"))


@pytest.fixture(params=[pytest.param((v, p), id=f"{v.name}-{p}") for v in VERSIONS for p in PROFILES])
def golden(request, tmp_path):
    """A collection of golden files, and its rows as they were when it was written."""
    version, profile = request.param
    shutil.copytree(version / profile, tmp_path / profile)
    with pa.ipc.open_file(version / "rows.arrow") as source:
        expected = source.read_all()
    with drift.connect(str(tmp_path)) as database, database.collection(profile) as docs:
        yield docs, expected


def test_there_is_a_golden_version():
    assert [version.name for version in VERSIONS] == ["v1"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_golden_files_were_never_changed(version):
    lines = (version / "SHA256SUMS").read_text(encoding="ascii").splitlines()
    recorded = {name: sum_ for sum_, name in (line.split("  ", 1) for line in lines)}
    found = {str(path.relative_to(version)): digest(path) for path in version.rglob("*") if path.is_file()}
    found.pop("SHA256SUMS")
    assert found == recorded


def test_golden_rows_and_distances_read_as_they_were_written(golden):
    docs, expected = golden
    found = ranked_rows(docs)
    assert found.schema.equals(expected.schema, check_metadata=True)
    for name in expected.column_names:
        assert same(found.column(name).combine_chunks(), expected.column(name).combine_chunks()), name


def test_golden_files_verify(golden):
    docs, expected = golden
    docs.verify()
    assert len(docs) == len(expected)
