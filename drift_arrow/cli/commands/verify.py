"""`drift-cli verify`: read every byte and compare it with its checksum."""

from __future__ import annotations

from drift_arrow.cli.address import opened
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples
from drift_arrow.errors import CorruptionError, NotFoundError

EPILOG = examples("drift-cli verify ./data/docs && echo sound")


def verify(address: CollectionArgument, as_json: JsonOption = False) -> None:
    """Compare every byte of a collection with its checksum.

    Keys are compared with filters and fingerprints, counts with rows, and manifests with files, of every version that
    is kept. Files that nothing names are listed.

    Damage is an error that names the file and the offset, with exit code 1.
    """
    from drift_arrow.cli.output import bytes_text, print_json

    try:
        with opened(address, read_only=True) as collection:
            report = collection.verify()
    except (CorruptionError, NotFoundError) as error:
        error.add_note(f"`drift-cli doctor {address}` explains it")
        raise
    if as_json:
        print_json({"collection": address, **report.to_dict()})
        return
    print(f"{address} is sound: {report.files} files, {bytes_text(report.bytes)}, {report.rows:,} rows in segments")
    if report.versions > 1 or report.tags:
        print(f"so are {report.versions - 1} older versions and {report.tags} tags")
    for path in report.unexplained:
        print(f"nothing names {path}")
