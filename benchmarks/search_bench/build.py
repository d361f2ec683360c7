"""Indexes, built once per set, variant and version, with what that cost."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from search_bench.contender import BUILT_BY, Setting, label
from search_bench.data_set import DataSet
from search_bench.remote import Remote
from search_bench.resident import folder_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An index in a folder.

    Parameters
    ----------
    builder : str
        Name of the contender that built it.
    variant : dict
    seconds : float
        From rows in memory until they are durable, flushed and indexed.
    n_threads : int
        That it took.
    n_rows : int
    disk : int
        Bytes of all files.
    resident : int
        Bytes by which the process had grown at the end.
    """

    builder: str
    variant: Setting
    seconds: float
    n_threads: int
    n_rows: int
    disk: int
    resident: int

    @property
    def rows_per_second(self) -> float:
        """Rows per second."""
        return self.n_rows / self.seconds


def build(
    name: str, data: DataSet, variant: Setting, fingerprint: str, *, cache: Path, n_threads: int, python: str
) -> tuple[Path, Built]:
    """Folder of an index and what it cost; built now if it is not in the cache.

    Raises
    ------
    WorkerError    the contender could not
    """
    builder = BUILT_BY.get(name, name)
    stem = f"{builder} {label(variant)}".strip().replace(" ", "_")
    digest = hashlib.sha256(f"{fingerprint} {n_threads}".encode()).hexdigest()[:12]
    folder = cache / "indexes" / data.name / f"{stem}-{digest}"
    facts = folder.with_suffix(".json")
    if facts.exists():
        return folder, Built(**json.loads(facts.read_text()))
    for old in folder.parent.glob(f"{stem}-????????????*"):
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    if sys.stderr.isatty():
        print(f"\r{f'{data.name}: building {stem}':<118}", end="", file=sys.stderr, flush=True)
    with Remote(builder, data, folder, variant, n_threads=n_threads, python=python) as remote:
        answer = remote.ask("build")
    built = Built(
        builder=builder,
        variant=variant,
        seconds=answer["seconds"],
        n_threads=n_threads,
        n_rows=len(data.vectors),
        disk=folder_bytes(folder),
        resident=answer["resident"],
    )
    print(f"built {stem} in {built.seconds:.1f} s", flush=True)
    facts.write_text(json.dumps(asdict(built)))
    return folder, built
