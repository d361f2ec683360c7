"""`drift-cli create`: a new collection with the columns of a file."""

from __future__ import annotations

from typing import Annotated

import typer

from drift_arrow.cli.address import connected, parse_address
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, ProfileOption, examples

EPILOG = examples(
    "drift-cli create ./data/docs --schema-from docs.parquet --vector embedding --key id --metric cosine",
    "drift-cli add ./data/docs docs.parquet",
)


def create(
    address: CollectionArgument,
    schema_from: Annotated[str, typer.Option(metavar="FILE", help="Take the columns of this file; no row is added.")],
    vector: Annotated[str, typer.Option(metavar="COLUMN", help="The column of vectors.")],
    key: Annotated[str, typer.Option(metavar="COLUMN", help="The column of unique keys: integers or strings.")],
    metric: Annotated[str, typer.Option(metavar="l2|cosine|dot", help="How distance is measured.")] = "l2",
    dim: Annotated[int | None, typer.Option(min=1, help="Length of the vectors, if the file leaves it open.")] = None,
    profile: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an empty collection with the columns of a file."""
    from drift_arrow.cli.inference import infer_schema
    from drift_arrow.cli.output import print_json
    from drift_arrow.options import Options

    target = parse_address(address)
    options = Options(profile=profile) if profile else Options()
    schema = infer_schema(schema_from, vector=vector, key=key, dim=dim)
    with (
        connected(target.root) as database,
        database.create_collection(
            target.name, schema=schema, vector=vector, key=key, metric=metric, options=options
        ) as collection,
    ):
        created = {
            "collection": str(target),
            "vector": collection.vector,
            "dim": collection.dim,
            "key": collection.key,
            "metric": collection.metric,
            "columns": {field.name: str(field.type) for field in collection.schema},
        }
    if as_json:
        print_json(created)
    else:
        print(f"created {target}: {vector} has {created['dim']} dimensions, compared by {metric}; keys in {key}")
