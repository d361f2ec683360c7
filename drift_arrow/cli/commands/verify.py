"""`drift-cli verify`: read every byte and compare it with its checksum."""

from __future__ import annotations

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

EPILOG = examples("drift-cli verify ./data/docs && echo sound")


def verify(address: CollectionArgument, as_json: JsonOption = False) -> None:
    """Compare every byte of a collection with its checksum.

    Damage is an error that names the file and the offset, with exit code 1.
    """
    from drift_arrow.cli.output import bytes_text, print_json

    with opened(address, read_only=True) as collection:
        report = collection.verify()
    if as_json:
        print_json({"collection": address, "files": report.files, "bytes": report.bytes, "rows": report.rows})
    else:
        print(f"{address} is sound: {report.files} files, {bytes_text(report.bytes)}, {report.rows:,} rows in segments")
