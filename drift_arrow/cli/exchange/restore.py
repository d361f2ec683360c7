"""A new collection out of one file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import typer

from drift_arrow.cli.address import connected, opened
from drift_arrow.cli.exchange.marks import Marks, unmark
from drift_arrow.cli.inference import infer_schema
from drift_arrow.cli.loading import Added, add_file
from drift_arrow.cli.output import console
from drift_arrow.cli.progress import row_progress
from drift_arrow.cli.sources import open_source
from drift_arrow.options import Options

if TYPE_CHECKING:
    import pyarrow as pa

    from drift_arrow.cli.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The collection that a file asks for."""

    schema: pa.Schema
    vector: str
    key: str
    metric: str
    options: Options


def plan_import(url: str, wanted: Marks, profile: str | None) -> Plan:
    """What to create for a file: its marks, and where `wanted` or `profile` say something, that.

    Raises
    ------
    typer.BadParameter
        Neither says which column is the vector, or the key.
    NotFoundError, InvalidArgumentError, StorageError
        See `open_source` and `infer_schema`.
    """
    with open_source(url, vector=wanted.vector or "") as source:
        schema, marks = unmark(source.original_schema)
    vector, key = wanted.vector or marks.vector, wanted.key or marks.key
    if vector is None or key is None:
        missing = " and ".join(f"--{role}" for role, name in (("vector", vector), ("key", key)) if name is None)
        raise typer.BadParameter(f"`drift-cli export` did not write this file: {missing} must name its column")
    if marks.vector is None:
        schema = infer_schema(url, vector=vector, key=key, dim=None)
    options = marks.options or Options()
    return Plan(
        schema=schema,
        vector=vector,
        key=key,
        metric=wanted.metric or marks.metric or "l2",
        options=replace(options, profile=profile) if profile else options,
    )


def import_file(url: str, target: Address, plan: Plan) -> int:
    """Create the collection, add every row of the file, return how many.

    Raises
    ------
    AlreadyExistsError
        There is a collection of this name, which stays as it is.
    DriftError
        The file cannot be read, or a row is refused. The new collection is dropped again.
    """
    with connected(target.root) as database:
        database.create_collection(
            target.name,
            schema=plan.schema,
            vector=plan.vector,
            key=plan.key,
            metric=plan.metric,
            options=plan.options,
        ).close()
        added = Added()
        try:
            with opened(str(target), read_only=False) as collection, row_progress(console(stderr=True)) as progress:
                add_file(collection, url, is_upsert=False, added=added, progress=progress)
        except BaseException:
            database.drop_collection(target.name)
            raise
    return added.n_rows
