"""`drift-cli export`: rows of a collection as a Parquet or Arrow file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples(
    "drift-cli export ./data/docs --parquet docs.parquet && drift-cli import docs.parquet ./data/docs2",
    "drift-cli export ./data/docs --arrow docs.arrow --force",
    "drift-cli export ./data/docs --parquet en.parquet --where \"lang = 'en'\" --select id,title",
)
# Suffixes by which `import` and `add` tell the formats apart.
PARQUET_SUFFIXES = (".parquet", ".pq")
ARROW_SUFFIXES = (".arrow", ".feather", ".ipc")


def export(
    address: CollectionArgument,
    parquet: Annotated[str | None, typer.Option(metavar="FILE", help="Write Parquet, compressed by zstd.")] = None,
    arrow: Annotated[str | None, typer.Option(metavar="FILE", help="Write Arrow IPC, ready to be mapped.")] = None,
    where: Annotated[str | None, typer.Option(metavar="SQL", help="Only rows that meet this condition.")] = None,
    select: Annotated[str | None, typer.Option(metavar="A,B", help="Columns to write; all of them.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write the rows of a collection to one file.

    The file appears under its name once it is complete.

    Its schema names vector, key and metric: 'drift-cli import' needs no flags.
    """
    from drift_arrow.cli.exchange.dump import Selection, dump_arrow, dump_parquet
    from drift_arrow.cli.output import bytes_text, print_json

    if (parquet is None) == (arrow is None):
        raise typer.BadParameter("give either --parquet FILE or --arrow FILE")
    path, suffixes, dump = (
        (str(arrow), ARROW_SUFFIXES, dump_arrow) if parquet is None else (parquet, PARQUET_SUFFIXES, dump_parquet)
    )
    if not path.lower().endswith(suffixes):
        raise typer.BadParameter(f"FILE must end in {' or '.join(suffixes)}, by which others know it; got={path!r}")
    columns = None if select is None else [name.strip() for name in select.split(",")]
    started = time.perf_counter()
    with opened(address, read_only=True) as collection:
        n_rows = dump(collection, path, Selection(where=where, columns=columns), overwrite=force)
    seconds, size = time.perf_counter() - started, Path(path).stat().st_size
    if as_json:
        print_json({"collection": address, "file": path, "rows": n_rows, "bytes": size, "seconds": round(seconds, 3)})
    else:
        print(f"exported {n_rows:,} rows of {address} to {path}, {bytes_text(size)}, in {seconds:.1f} s")
