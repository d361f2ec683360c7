"""`drift-cli doctor`: what is wrong with a collection, and what can be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from drift_arrow.cli.address import parse_address
from drift_arrow.cli.arguments import CollectionArgument, JsonOption, examples

if TYPE_CHECKING:
    from drift_arrow.engine.doctor import Diagnosis

EPILOG = examples(
    "drift-cli doctor ./data/docs",
    "drift-cli doctor ./data/docs --repair",
    "drift-cli doctor ./data/docs --repair --accept-loss",
)


def doctor(
    address: CollectionArgument,
    repair: Annotated[bool, typer.Option("--repair", help="Remove what crashes left behind.")] = False,
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="With --repair: go on without what is damaged.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Explain what is wrong with a collection, and repair it if told to.

    Reads every byte and changes nothing, unless --repair is given. Works on collections that do not open any more.

    A repair makes no data up. With --accept-loss, damaged files move to the directory quarantine in the collection,
    and a version without them is committed; how many rows go with them is said first. A backup is better.

    Exit code 1 says that damage remains.
    """
    from drift_arrow.cli.output import print_json
    from drift_arrow.engine.database import open_storage
    from drift_arrow.engine.doctor import diagnose
    from drift_arrow.engine.doctor_repair import repair as run_repair
    from drift_arrow.engine.spec import check_name

    if accept_loss and not repair:
        raise typer.BadParameter("--accept-loss says how far --repair may go: give both")
    target = parse_address(address)
    database = open_storage(target.root)
    storage = database.child(check_name(target.name))
    before = diagnose(storage, database)
    if not as_json:
        _print(address, before)
    after = before
    if repair:
        run_repair(storage, database, accept_loss=accept_loss)
        after = diagnose(storage, database)
        if not as_json:
            _print_outcome(address, before, after)
    if as_json:
        findings = [finding.to_dict() for finding in before.findings]
        print_json({"collection": address, "findings": findings, "repaired": repair, "sound": after.is_sound})
    if not after.is_sound:
        raise typer.Exit(1)


def _print(address: str, found: Diagnosis) -> None:
    from drift_arrow.engine.doctor_finding import Gravity

    if not found.findings:
        print(f"{address} is sound, and nothing was left behind")
    for finding in found.findings:
        print(f"{finding.gravity.value}: {finding.kind.value}: {finding.path}")
        print(f"  what    {finding.what}")
        if finding.rows_damaged is not None and finding.gravity is Gravity.LOSS:
            print(f"  rows    {finding.rows_damaged:,} damaged{_keys_text(finding.keys, finding.rows_damaged)}")
        print(f"  remedy  {finding.remedy}")


def _keys_text(keys: tuple[object, ...], n_rows: int) -> str:
    from drift_arrow.cli.output import SHOWN_ITEMS

    if not keys:
        return ", whose keys cannot be read" if n_rows else ""
    shown = ", ".join(str(key) for key in keys[:SHOWN_ITEMS])
    return f", with keys {shown}{', …' if n_rows > SHOWN_ITEMS else ''}"


def _print_outcome(address: str, before: Diagnosis, after: Diagnosis) -> None:
    from drift_arrow.engine.doctor import QUARANTINE_DIRECTORY
    from drift_arrow.engine.doctor_finding import Gravity

    n_before, n_after = (
        sum(finding.gravity is not Gravity.NOTE for finding in found.findings) for found in (before, after)
    )
    print(f"repaired {n_before - n_after} of {n_before}")
    lost = [finding.rows_lost for finding in before.findings if finding.gravity is Gravity.LOSS]
    if lost and after.is_sound:
        unknown = " and as many as the damaged log or manifest held" if None in lost else ""
        n_rows = sum(rows for rows in lost if rows is not None)
        print(f"given up: {n_rows:,} rows{unknown}; their files are in {address}/{QUARANTINE_DIRECTORY}")
