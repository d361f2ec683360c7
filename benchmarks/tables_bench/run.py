"""Writes and reads all tables and reports."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from harness.duel import Clock, duel
from harness.report import Bar, aligned, bar_table
from tables_bench import segment
from tables_bench.check import same_rows
from tables_bench.files import TableFile, parquet_columns, table_files
from tables_bench.inputs import Input, inputs
from tables_bench.segment import Part

_PARQUET = "parquet-zstd"


@dataclass(frozen=True, slots=True)
class TableResult:
    """One table.

    Parameters
    ----------
    name : str
    raw : int
        Bytes of the table in memory.
    files : dict of str to int
        Bytes of each file.
    write, read : dict of str to float
        Seconds, by medians.
    parts : dict of str to list of Part
        Of the files of drift.
    parquet : dict of str to int
        Bytes of the columns of the Parquet file with zstd.
    """

    name: str
    raw: int
    files: dict[str, int]
    write: dict[str, float]
    read: dict[str, float]
    parts: dict[str, list[Part]]
    parquet: dict[str, int]

    def data_bytes(self, name: str) -> int:
        """Bytes of the columns of the table."""
        return sum(part.size for part in self.parts[name] if part.is_data) if name in self.parts else self.files[name]

    def key_bytes(self, name: str) -> int:
        """Bytes that serve to find keys."""
        return sum(part.size for part in self.parts.get(name, []) if part.is_keys)


def run(
    data: Path,
    *,
    rows: int,
    seconds: float,
    names: list[str],
    clock: Clock = time.perf_counter,
    json_file: Path | None = None,
) -> bool:
    """Measure, and print tables and bars.

    Parameters
    ----------
    data : Path
        Folder with real data.
    rows : int
        Of the generated table.
    seconds : float
        Of reading, per table.
    names : list of str
        Beginnings of the names of the tables to take; none means all.
    clock : callable
        Returns seconds.
    json_file : Path, optional

    Returns
    -------
    bool
        Whether no bar was missed.
    """
    print(", ".join(f"{name} {metadata.version(name)}" for name in ("pyarrow", "vortex-data", "zstandard", "numba")))
    results = []
    for given in inputs(data, rows):
        if names and not given.name.startswith(tuple(names)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            results.append(measure(given, Path(folder), seconds, clock))
        print_result(results[-1])
    found = [bar for result in results for bar in bars(result)]
    print(f"\n== bars\n{bar_table(found)}")
    if json_file:
        bars_found = [{**asdict(bar), "verdict": bar.verdict} for bar in found]
        json_file.write_text(json.dumps({"tables": [asdict(one) for one in results], "bars": bars_found}, indent=1))
    return all(bar.verdict != "MISS" for bar in found)


def measure(given: Input, folder: Path, seconds: float, clock: Clock) -> TableResult:
    """Write, check and read one table in every format, in turn.

    Raises
    ------
    RuntimeError    a file gave back other rows
    """
    files = table_files(given, folder)
    write = duel({file.name: file.write for file in files}, seconds=seconds, clock=clock)
    for file in files:
        if not same_rows(given.table, file.read(), given.key):
            raise RuntimeError(f"file gave back other rows; file={file.name} table={given.name!r}")
    read = duel({file.name: file.read for file in files}, seconds=seconds, clock=clock)
    return TableResult(
        name=given.name,
        raw=given.table.nbytes,
        files={file.name: file.path.stat().st_size for file in files},
        write=write,
        read=read,
        parts={file.name: segment.parts(file.path) for file in files if _is_segment(file)},
        parquet=parquet_columns(next(file.path for file in files if file.name == _PARQUET)),
    )


def _is_segment(file: TableFile) -> bool:
    return file.path.suffix == ".drift"


def print_result(result: TableResult) -> None:
    """Sizes and times, and where the bytes of drift's files are."""
    base = result.files[_PARQUET]
    rows = [
        (
            name,
            f"{size:,}",
            f"{result.data_bytes(name):,}",
            f"{result.data_bytes(name) / base:.3f}",
            f"{(result.data_bytes(name) + result.key_bytes(name)) / base:.3f}",
            f"{result.write[name] * 1e3:.0f}",
            f"{result.read[name] * 1e3:.1f}",
            f"{result.raw / result.read[name] / 1e9:.2f}",
        )
        for name, size in result.files.items()
    ]
    head = ("file", "bytes", "of columns", f"/ {_PARQUET}", "with key tables", "write ms", "read ms", "read GB/s")
    print(f"\n== {result.name}: {result.raw:,} bytes in memory\n{aligned(head, rows)}")
    for name in result.parts:
        _print_parts(result, name)


def _print_parts(result: TableResult, name: str) -> None:
    """The parts of one file of drift, columns beside those of Parquet."""
    lines = []
    for part in result.parts[name]:
        rival = result.parquet.get(part.column, 0)
        beside = (f"{rival:,}", f"{part.size / rival:.2f}") if rival else ("", "")
        label = f"{part.kind} {part.column}"
        lines.append((label, str(part.n_blocks), f"{part.size:,}", f"{part.size / result.files[name]:.1%}", *beside))
    print(f"\n{aligned((f'blocks of {name}', 'blocks', 'bytes', 'share', _PARQUET, 'ratio'), lines)}")


def bars(result: TableResult) -> list[Bar]:
    """What a table must reach."""
    found = []
    base = result.files[_PARQUET]
    for name in result.parts:
        for keys, size in (("", 0), (" with key tables", result.key_bytes(name))):
            stored = result.data_bytes(name) + size
            title, note = f"{result.name}: {name} bytes{keys} / {_PARQUET}", f"{stored:,} of {base:,} bytes"
            found.append(Bar(name=title, value=stored / base, limit=1, at_most=True, note=note))
    ours = result.read["drift"]
    for rival in ("parquet", _PARQUET, "vortex", "vortex-mmap"):
        theirs = result.read[rival]
        note = f"{ours * 1e3:.1f} ms against {theirs * 1e3:.1f} ms"
        found.append(Bar(name=f"{result.name}: reading, {rival} / drift", value=theirs / ours, limit=1, note=note))
    return found
