"""What searches and scans need of a collection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from drift_arrow.engine.snapshot import Snapshot
    from drift_arrow.engine.spec import CollectionSpec
    from drift_arrow.options import Options


class Source(Protocol):
    """A named collection whose newest durable state can be pinned."""

    @property
    def name(self) -> str:
        """Name of the collection."""

    @property
    def spec(self) -> CollectionSpec:
        """Its shape."""

    @property
    def options(self) -> Options:
        """Its settings."""

    def pin(self) -> Snapshot:
        """The newest durable state; it stays readable for as long as it is referenced.

        Raises ClosedError, or an error that the Janitor met since the last call.
        """
