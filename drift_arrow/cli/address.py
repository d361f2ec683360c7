"""ROOT/NAME: how the command line names a collection."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drift_arrow import Collection, Database


@dataclass(frozen=True, slots=True)
class Address:
    """A collection: the root that `connect` takes, and its name there."""

    root: str
    name: str

    def __str__(self) -> str:
        return f"{self.root}/{self.name}"


def parse_address(text: str) -> Address:
    """Split `./data/docs` into `./data` and `docs`; a bare name lies in the working directory.

    Raises
    ------
    typer.BadParameter
        No name is left after the last slash.
    """
    root, _, name = text.rstrip("/").rpartition("/")
    if not name or root.endswith(":/"):
        raise typer.BadParameter(f"expected ROOT/NAME, as in ./data/docs; got={text!r}")
    return Address(root or ("/" if text.startswith("/") else "."), name)


@contextmanager
def connected(root: str) -> Iterator[Database]:
    """A database that is closed again on the way out."""
    import drift_arrow

    with drift_arrow.connect(root) as database:
        yield database


@contextmanager
def opened(text: str, *, read_only: bool) -> Iterator[Collection]:
    """The collection at ROOT/NAME, closed on the way out; `read_only` works beside a running writer."""
    address = parse_address(text)
    with connected(address.root) as database, database.collection(address.name, read_only=read_only) as collection:
        yield collection
